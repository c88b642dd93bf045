//! What of a run its metrics need, added up as it happens: of passes, tokens, blocks and loads
//! nothing is kept but sums.

use super::accuracy::Answers;
use super::cascade::FirstAnswers;
use super::distortion::Errors;
use super::energy::Budgets;
use super::exits::Exits;
use super::experts::Spread;
use super::latency::Passes;
use super::load::Loads;
use super::speculation::Rounds;
use super::tails::Gaps;
use super::{
    Collector, DEFINITIONS, Metrics, assignment, energy, latency, likelihood, serving, tails,
};
use crate::measurement::{
    AnswerRecord, BlockRecord, ExitRecord, ExpertRecord, FirstAnswerRecord, Goals, LoadRecord,
    Mode, PassRecord, RequestRecord, RoundRecord, TokenRecord, Totals, VisitRecord,
};
use crate::observer::Observer;
use crate::units::Instant;
use std::io;

/// Watches a run for its metrics.
#[derive(Debug, Clone, Default)]
pub struct Accumulator {
    passes: Passes,
    answers: Answers,
    exits: Exits,
    spread: Spread,
    errors: Errors,
    budgets: Budgets,
    gaps: Gaps,
    loads: Loads,
    rounds: Rounds,
    firsts: FirstAnswers,
}

impl Accumulator {
    /// The metrics of a run that ended at `makespan`, with its requests in workload order.
    pub fn finish(
        self,
        requests: &[RequestRecord],
        totals: &Totals,
        goals: &Goals,
        makespan: Instant,
    ) -> Metrics {
        let mut metrics = Collector::default();
        latency::collect(requests, totals, makespan, &mut metrics);
        self.passes.collect(&mut metrics);
        tails::collect(requests, &mut metrics);
        self.gaps.collect(&mut metrics);
        serving::collect(requests, goals, &mut metrics);
        self.loads.collect(requests, &mut metrics);
        likelihood::collect(requests, &mut metrics);
        self.rounds.collect(&mut metrics);
        self.firsts.collect(&mut metrics);
        self.answers.collect(requests, &mut metrics);
        self.exits.collect(&mut metrics);
        self.spread.collect(totals, &mut metrics);
        self.errors.collect(&mut metrics);
        self.budgets.collect(&mut metrics);
        energy::collect(requests, totals, &mut metrics);
        assignment::collect(totals, &mut metrics);
        let value = |name: &str| metrics.0.get(name).copied();
        Metrics(
            DEFINITIONS
                .iter()
                .filter_map(|definition| Some((definition.name, value(definition.name)?)))
                .collect(),
        )
    }
}

impl Observer for Accumulator {
    fn request(&mut self, request: &RequestRecord) -> io::Result<()> {
        self.gaps.end(request.request);
        Ok(())
    }

    fn answer(&mut self, answer: &AnswerRecord) -> io::Result<()> {
        self.answers.enter(answer);
        Ok(())
    }

    fn exit(&mut self, exit: &ExitRecord) -> io::Result<()> {
        self.exits.enter(exit);
        Ok(())
    }

    fn pass(&mut self, pass: &PassRecord) -> io::Result<()> {
        // What drafts take is told of their rounds.
        if pass.mode == Mode::Draft {
            return Ok(());
        }
        self.passes.enter(pass);
        self.spread.enter_pass(pass);
        self.loads.enter_pass(pass);
        Ok(())
    }

    fn first_answer(&mut self, answer: &FirstAnswerRecord) -> io::Result<()> {
        self.firsts.enter(answer);
        Ok(())
    }

    fn round(&mut self, round: &RoundRecord) -> io::Result<()> {
        self.rounds.enter(round);
        Ok(())
    }

    fn token(&mut self, token: &TokenRecord) -> io::Result<()> {
        self.gaps.enter(token);
        Ok(())
    }

    fn block(&mut self, block: &BlockRecord) -> io::Result<()> {
        self.spread.enter_block(block);
        self.errors.enter(block);
        self.budgets.enter(block);
        Ok(())
    }

    fn visit(&mut self, visit: &VisitRecord) -> io::Result<()> {
        self.spread.enter_visit(visit);
        Ok(())
    }

    fn expert(&mut self, expert: &ExpertRecord) -> io::Result<()> {
        self.spread.enter_expert(expert);
        Ok(())
    }

    fn load(&mut self, load: &LoadRecord) -> io::Result<()> {
        self.loads.enter(load);
        Ok(())
    }
}
