//! Which token follows: the most probable one, or one that is drawn.
//!
//! What is drawn for a token comes from streams named by the request and by the token's place among
//! those generated for it: whatever else is in a batch, however it is scheduled, the draws are the
//! same. Drafts, their acceptance, and the model's own tokens draw from streams of their own.

use super::error::ExecutionError;
use crate::numerics::{StepError, greedy};
use crate::policy::tokens::{Categorical, Verdict, judge};
use crate::rng::{NO_DEVICE, Streams};
use crate::serving::{Draws, Identity, Sampling, Sends};
use rand::RngExt;

/// What the model's own tokens are drawn from.
const SAMPLE: &str = "decoding.sample";

/// What drafted tokens are drawn from.
const DRAFT: &str = "decoding.draft";

/// What decides whether they stand.
const ACCEPT: &str = "decoding.accept";

/// Bits of a probability that is sent as a number.
const PROBABILITY_BITS: u64 = 32;

/// How the tokens of one request are chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    /// `None` where the most probable ones are taken.
    pub(super) sampling: Option<Sampling>,
    pub(super) streams: Streams,
    pub(super) identity: Identity,
}

/// A token that waits to be verified, and the distribution that it counts as drawn from; `None`
/// where it was certain.
#[derive(Debug, Clone)]
pub(super) struct Drafted {
    pub(super) token: u32,
    pub(super) from: Option<Categorical>,
}

impl Choice {
    fn uniform(&self, purpose: &'static str, index: u64) -> f64 {
        let index = self.identity.draw(index);
        self.streams.open(purpose, NO_DEVICE, index).random()
    }

    /// What `logits` let be drawn.
    fn distribution(logits: &[f32], sampling: Sampling) -> Result<Categorical, ExecutionError> {
        // Says what is wrong with them, if anything is.
        greedy(logits)?;
        let all = Categorical::softmax(logits, sampling.temperature);
        let all = all.ok_or(StepError::NoToken)?;
        let kept = match sampling.top_k {
            None => all,
            Some(k) => all.top(k),
        };
        Ok(kept.nucleus(sampling.top_p))
    }

    /// The token number `index` of the request after one row of `logits`.
    pub(super) fn token(&self, logits: &[f32], index: u64) -> Result<u32, ExecutionError> {
        match self.sampling {
            None => Ok(greedy(logits)?),
            Some(sampling) => {
                let own = Self::distribution(logits, sampling)?;
                Ok(own.draw(self.uniform(SAMPLE, index)))
            }
        }
    }

    /// A token that is drafted for place `index` after one row of `logits`, of whose distribution
    /// so much is sent; the one that is drawn from is as `draws` says.
    pub(super) fn draft(
        &self,
        logits: &[f32],
        index: u64,
        (sends, draws): (Sends, Draws),
    ) -> Result<Drafted, ExecutionError> {
        let Some(sampling) = self.sampling else {
            let token = greedy(logits)?;
            return Ok(Drafted { token, from: None });
        };
        let computed = Self::distribution(logits, sampling)?;
        let sent = match sends {
            Sends::Full => computed.rounded(),
            Sends::Top(k) => computed.top(k).rounded(),
            Sends::Quantised(bits) => computed.quantised(bits),
        };
        let uniform = self.uniform(DRAFT, index);
        let token = match draws {
            Draws::AsSent => sent.draw(uniform),
            Draws::AsComputed => computed.draw(uniform),
        };
        Ok(Drafted {
            token,
            from: Some(sent),
        })
    }

    /// What comes at place `index` instead of the drafted token, where one row of `logits` does
    /// not let it stand.
    pub(super) fn instead(
        &self,
        logits: &[f32],
        drafted: &Drafted,
        index: u64,
    ) -> Result<Option<u32>, ExecutionError> {
        let Some(sampling) = self.sampling else {
            let best = greedy(logits)?;
            return Ok((best != drafted.token).then_some(best));
        };
        let target = Self::distribution(logits, sampling)?;
        let certain = || Categorical::certain(drafted.token, target.vocabulary());
        let draft = drafted.from.clone().unwrap_or_else(certain);
        let uniforms = [self.uniform(ACCEPT, index), self.uniform(SAMPLE, index)];
        Ok(match judge(drafted.token, &target, &draft, uniforms) {
            Verdict::Accepted => None,
            Verdict::Replaced(token) => Some(token),
        })
    }
}

/// Bits of one token's distribution over a `vocabulary` on its way.
pub(super) fn distribution_bits(sends: Sends, vocabulary: usize, token_bits: u64) -> u64 {
    let vocabulary = vocabulary as u64;
    match sends {
        Sends::Full => vocabulary * PROBABILITY_BITS,
        Sends::Top(k) => (k as u64).min(vocabulary) * (token_bits + PROBABILITY_BITS),
        Sends::Quantised(bits) => vocabulary * u64::from(bits),
    }
}
