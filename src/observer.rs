//! Who watches a run: what it measures comes out here, record by record as things happen, and
//! tensors as they travel.

use crate::measurement::{
    AnswerRecord, BlockRecord, ExitRecord, ExpertRecord, FirstAnswerRecord, LoadRecord,
    Measurements, PassRecord, RequestRecord, RoundRecord, TokenRecord, VisitRecord,
};
use std::io;

/// A tensor that was transmitted, all-reduced, or came out of the model.
#[derive(Debug, Clone, Copy)]
pub struct Travelling<'a> {
    /// The request.
    pub request: u32,
    /// The pass within the request.
    pub step: u32,
    /// The layer; `None` for logits.
    pub layer: Option<u32>,
    /// What it is: the stage that made it.
    pub stage: &'static str,
    /// The node whose partial output it is; `None` for sums and logits.
    pub node: Option<u32>,
    /// The token's place in the pass; `None` if it holds all of them.
    pub row: Option<u32>,
    /// Entries per token.
    pub columns: usize,
    /// The entries, row by row.
    pub values: &'a [f32],
}

macro_rules! observer {
    ($($(#[$doc:meta])+ $method:ident: $record:ty;)+) => {
        /// Watches a run without changing it. An error ends the run; unless something is
        /// watched, nothing is done.
        pub trait Observer {
            $(
                $(#[$doc])+
                ///
                /// # Errors
                /// If it cannot be noted; ends the run.
                fn $method(&mut self, record: &$record) -> io::Result<()> {
                    let _ = record;
                    Ok(())
                }
            )+
        }

        impl<O: Observer + ?Sized> Observer for &mut O {
            $(
                fn $method(&mut self, record: &$record) -> io::Result<()> {
                    (**self).$method(record)
                }
            )+
        }

        /// Both watch, the first one first.
        impl<A: Observer, B: Observer> Observer for (A, B) {
            $(
                fn $method(&mut self, record: &$record) -> io::Result<()> {
                    self.0.$method(record)?;
                    self.1.$method(record)
                }
            )+
        }
    };
}

observer! {
    /// A request was answered or rejected. Requests come in the order of their ends.
    request: RequestRecord;
    /// A multiple-choice question was answered.
    answer: AnswerRecord;
    /// A request's part of a forward pass is over; those of a batch come together.
    pass: PassRecord;
    /// A token reached who asked for it.
    token: TokenRecord;
    /// A small model's answer stands, or its request goes on.
    first_answer: FirstAnswerRecord;
    /// A draft was verified.
    round: RoundRecord;
    /// A token was decoded where tokens may leave at exits.
    exit: ExitRecord;
    /// An all-reduce is over, or a layer whose experts are spread.
    block: BlockRecord;
    /// A node's part of such a layer is over; told before its block.
    visit: VisitRecord;
    /// An expert's part of such a layer is over; those of a block come together.
    expert: ExpertRecord;
    /// A replica's queue, batches or cache changed.
    load: LoadRecord;
    /// Tensors were sent, summed or computed together.
    tensors: [Travelling<'_>];
}

impl Measurements {
    /// Tells `observer` everything again, subject by subject: requests last, all else in the
    /// order in which it happened.
    ///
    /// # Errors
    /// Those of the observer.
    pub fn tell(&self, observer: &mut dyn Observer) -> io::Result<()> {
        self.answers.iter().try_for_each(|it| observer.answer(it))?;
        self.passes.iter().try_for_each(|it| observer.pass(it))?;
        self.tokens.iter().try_for_each(|it| observer.token(it))?;
        let first = &self.first_answers;
        first.iter().try_for_each(|it| observer.first_answer(it))?;
        self.rounds.iter().try_for_each(|it| observer.round(it))?;
        self.exits.iter().try_for_each(|it| observer.exit(it))?;
        self.visits.iter().try_for_each(|it| observer.visit(it))?;
        self.experts.iter().try_for_each(|it| observer.expert(it))?;
        self.blocks.iter().try_for_each(|it| observer.block(it))?;
        self.loads.iter().try_for_each(|it| observer.load(it))?;
        self.requests.iter().try_for_each(|it| observer.request(it))
    }
}

/// Nobody watches.
impl Observer for () {}

/// Keeps everything but tensors.
impl Observer for Measurements {
    fn request(&mut self, record: &RequestRecord) -> io::Result<()> {
        let known = self.requests.iter().rev();
        let later = known.take_while(|other| other.request > record.request);
        let place = self.requests.len() - later.count();
        self.requests.insert(place, record.clone());
        Ok(())
    }

    fn exit(&mut self, record: &ExitRecord) -> io::Result<()> {
        self.exits.push(*record);
        Ok(())
    }

    fn answer(&mut self, record: &AnswerRecord) -> io::Result<()> {
        self.answers.push(*record);
        Ok(())
    }

    fn pass(&mut self, record: &PassRecord) -> io::Result<()> {
        self.passes.push(record.clone());
        Ok(())
    }

    fn token(&mut self, record: &TokenRecord) -> io::Result<()> {
        self.tokens.push(*record);
        Ok(())
    }

    fn first_answer(&mut self, record: &FirstAnswerRecord) -> io::Result<()> {
        self.first_answers.push(*record);
        Ok(())
    }

    fn round(&mut self, record: &RoundRecord) -> io::Result<()> {
        self.rounds.push(*record);
        Ok(())
    }

    fn block(&mut self, record: &BlockRecord) -> io::Result<()> {
        self.blocks.push(record.clone());
        Ok(())
    }

    fn visit(&mut self, record: &VisitRecord) -> io::Result<()> {
        self.visits.push(record.clone());
        Ok(())
    }

    fn expert(&mut self, record: &ExpertRecord) -> io::Result<()> {
        self.experts.push(record.clone());
        Ok(())
    }

    fn load(&mut self, record: &LoadRecord) -> io::Result<()> {
        self.loads.push(*record);
        Ok(())
    }
}
