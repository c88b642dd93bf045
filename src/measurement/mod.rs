//! What a run measured, as plain records: the rows of `requests.csv`, `answers.csv`,
//! `tokens.csv`, `batches.csv`, `load.csv`, `nodes.csv` and `blocks.csv` before anybody formats
//! them.
//!
//! Times are simulated [`Instant`](crate::units::Instant)s; a value that a run cannot know is
//! `None`, never zero. Records reach whoever watches as things happen
//! ([`Observer`](crate::observer::Observer)); [`Measurements`] keeps them all.

mod block;
mod exit;
mod first_answer;
mod goals;
mod load;
mod pass;
mod request;
mod round;
mod totals;
mod visit;

pub use block::{AllReduceMse, BlockRecord, BudgetUse, Felt, is_together};
pub use exit::ExitRecord;
pub use first_answer::FirstAnswerRecord;
pub use goals::Goals;
pub use load::LoadRecord;
pub use pass::{PassRecord, TimeSplit};
pub use request::{AnswerRecord, Mode, RequestRecord, TokenRecord};
pub use round::RoundRecord;
pub use totals::{AssignmentRecord, DivisionRecord, IterateRecord, NodeRecord, Totals};
pub use visit::{ExpertRecord, PairRecord, VisitRecord};

/// Everything one run measured, in memory: for short runs and for tests.
#[derive(Debug, Clone, Default)]
pub struct Measurements {
    /// Per request, in workload order.
    pub requests: Vec<RequestRecord>,
    /// Per multiple-choice question, in the order in which they were answered.
    pub answers: Vec<AnswerRecord>,
    /// Per pass and request in it, in time order.
    pub passes: Vec<PassRecord>,
    /// Per token that reached who asked for it, in time order.
    pub tokens: Vec<TokenRecord>,
    /// Per request that a small model answered before a large one, in time order.
    pub first_answers: Vec<FirstAnswerRecord>,
    /// Per draft that was verified, in time order.
    pub rounds: Vec<RoundRecord>,
    /// Per decoded token of a replica with exits, in time order.
    pub exits: Vec<ExitRecord>,
    /// Per all-reduce, in time order.
    pub blocks: Vec<BlockRecord>,
    /// Per block and node with tokens, if experts are spread.
    pub visits: Vec<VisitRecord>,
    /// Per block and expert, if experts are spread.
    pub experts: Vec<ExpertRecord>,
    /// Per change of a replica's queue, batches or cache, in time order.
    pub loads: Vec<LoadRecord>,
    /// What was known when the run was over.
    pub totals: Totals,
}
