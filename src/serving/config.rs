//! The replicas of a scenario: what serves, whom it takes in, and which part of a request it does.

use super::cache_pool::{Cache, CachePool};
use super::decoding::Decoding;
use super::jobs::{Job, Jobs};
use super::order::Order;
use super::scheduling::{Prefill, Reason, Scheduling};
use crate::placement::Placement;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One whole copy of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// Which part of it lies on which node.
    pub placement: Placement,
    /// Batches that are on their way at once, at least 1. Default: as many as a pipeline has
    /// stages, else 1.
    #[serde(default)]
    pub in_flight: Option<usize>,
    /// Who is in the next batch. Default: one request, first come, first served.
    #[serde(default)]
    pub scheduler: Scheduling,
    /// Who comes first of those that wait. Default: who came first.
    #[serde(default)]
    pub order: Order,
    /// The memory that keys and values may take. Default: as much as all requests need that can
    /// run at once, which has to fit.
    #[serde(default)]
    pub cache: Option<Cache>,
    /// Whom it takes in. Default: everybody.
    #[serde(default)]
    pub admission: Admission,
    /// Which part of a request it does. Default: both.
    #[serde(default)]
    pub role: Role,
    /// How it turns logits into tokens. Default: the most probable one is taken.
    #[serde(default, skip_serializing_if = "Decoding::is_greedy")]
    pub decoding: Decoding,
}

/// Whom a replica takes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Admission {
    /// Everybody; they wait.
    #[default]
    Unlimited,
    /// Who arrives while so many wait is turned away.
    Reject(usize),
    /// At most so many are in service at once; the others wait.
    Queue(usize),
}

/// Which part of a request a replica does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Role {
    /// It reads prompts and generates.
    #[default]
    Both,
    /// It reads prompts, chooses the first token, and hands the cache on.
    Prefill,
    /// It generates from a cache that another replica has handed on.
    Decode,
}

impl Replica {
    /// One that serves one request after another, as a scenario says that states its placement
    /// alone.
    pub fn new(placement: Placement) -> Self {
        Self {
            placement,
            in_flight: None,
            scheduler: Scheduling::default(),
            order: Order::default(),
            cache: None,
            admission: Admission::default(),
            role: Role::default(),
            decoding: Decoding::default(),
        }
    }

    /// Checks everything but the placement.
    ///
    /// # Errors
    /// The first impossible field, or two fields that exclude one another.
    pub fn validate(&self) -> Result<(), FieldFault> {
        if self.in_flight == Some(0) {
            let message = "nothing would ever run; use 1 or more, or leave it out";
            return Err(FieldFault::new("in_flight", message));
        }
        self.scheduler
            .validate()
            .map_err(|fault| fault.under("scheduler"))?;
        self.order
            .validate()
            .map_err(|fault| fault.under("order"))?;
        if let Some(cache) = &self.cache {
            cache.validate().map_err(|fault| fault.under("cache"))?;
        }
        self.admission.validate()?;
        self.decoding
            .validate()
            .map_err(|fault| fault.under("decoding"))?;
        if let (Role::Decode, Admission::Reject(_)) = (self.role, self.admission) {
            let message = "whose prompt was read cannot be turned away any more; put Reject on the \
                           replica with role: Prefill, or use Queue";
            return Err(FieldFault::new("admission", message));
        }
        self.agree()
    }

    /// Checks that scheduler, order and cache can go together.
    fn agree(&self) -> Result<(), FieldFault> {
        let Order::FeedbackQueue(_) = self.order else {
            return Ok(());
        };
        let Scheduling::Continuous(continuous) = &self.scheduler else {
            let message = "FeedbackQueue decides anew at every iteration; use it with the \
                           scheduler Continuous, or another order";
            return Err(FieldFault::new("order", message));
        };
        if continuous.prefill == Prefill::Apart {
            let message = "FeedbackQueue mixes prompts and decode steps by their rank; use \
                           prefill: Mixed, or another order";
            return Err(FieldFault::new("order", message));
        }
        if self.cache.is_none() {
            let message = "FeedbackQueue keeps the cache of those it puts off, of any number; \
                           give the replica a cache, for example cache: Paged()";
            return Err(FieldFault::new("order", message));
        }
        Ok(())
    }
}

impl Admission {
    /// Checks its limit.
    ///
    /// # Errors
    /// If nobody would ever be served.
    pub fn validate(&self) -> Result<(), FieldFault> {
        match self {
            Self::Reject(0) | Self::Queue(0) => {
                let message = "a limit of 0 lets nobody in; use 1 or more, or Unlimited";
                Err(FieldFault::new("admission", message))
            }
            _ => Ok(()),
        }
    }

    /// Most requests that may be in service at once.
    pub fn most_in_service(&self) -> usize {
        match self {
            Self::Queue(limit) => *limit,
            Self::Unlimited | Self::Reject(_) => usize::MAX,
        }
    }

    /// Why `job`, which arrives now, cannot join `jobs`; `None` if it can.
    pub fn turns_away(&self, job: &Job, jobs: &Jobs, pool: &CachePool) -> Option<Reason> {
        match self {
            Self::Reject(limit) if jobs.waiting_len() >= *limit => {
                Some(Reason::QueueFull { limit: *limit })
            }
            _ => pool.refuses(job.longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::Single;
    use crate::serving::cache_pool::Paged;
    use crate::serving::order::FeedbackQueue;
    use crate::serving::scheduling::{Continuous, StaticBatches};

    fn replica() -> Replica {
        let at = "edge".to_owned();
        Replica::new(Placement::Single(Single { at }))
    }

    fn fault(replica: &Replica) -> String {
        replica.validate().unwrap_err().to_string()
    }

    #[test]
    fn a_placement_alone_is_enough() {
        assert_eq!(replica().validate(), Ok(()));
    }

    #[test]
    fn limits_of_nobody_are_refused() {
        let mut replica = replica();
        replica.admission = Admission::Reject(0);
        assert!(fault(&replica).starts_with("admission: a limit of 0"));
        replica.in_flight = Some(0);
        assert!(fault(&replica).starts_with("in_flight: nothing"));
    }

    #[test]
    fn a_feedback_queue_needs_a_cache_and_iterations() {
        let mut replica = replica();
        replica.order = Order::FeedbackQueue(FeedbackQueue::default());
        assert!(fault(&replica).contains("give the replica a cache"));
        replica.cache = Some(Cache::Paged(Paged::default()));
        assert_eq!(replica.validate(), Ok(()));
        replica.scheduler = Scheduling::Continuous(Continuous {
            prefill: Prefill::Apart,
            ..Continuous::default()
        });
        assert!(fault(&replica).contains("prefill: Mixed"));
        replica.scheduler = Scheduling::Static(StaticBatches::default());
        assert!(fault(&replica).contains("scheduler Continuous"));
    }

    #[test]
    fn who_comes_while_enough_wait_is_turned_away() {
        let pool = CachePool::unlimited();
        let mut jobs = Jobs::new(Order::First);
        let job = |request| Job {
            request,
            pending: 4,
            longest: 9,
            ..Job::default()
        };
        let admission = Admission::Reject(1);
        assert_eq!(admission.turns_away(&job(0), &jobs, &pool), None);
        jobs.join(job(0));
        let reason = admission.turns_away(&job(1), &jobs, &pool);
        assert_eq!(reason, Some(Reason::QueueFull { limit: 1 }));
        assert_eq!(Admission::Queue(1).turns_away(&job(1), &jobs, &pool), None);
    }

    #[test]
    fn who_fits_into_no_cache_is_turned_away_at_once() {
        let pool = CachePool::reserved(8, None);
        let jobs = Jobs::new(Order::First);
        let job = Job {
            longest: 9,
            ..Job::default()
        };
        let reason = Admission::Unlimited.turns_away(&job, &jobs, &pool);
        assert_eq!(reason, Some(Reason::CacheTooSmall { needs: 9, has: 8 }));
    }
}
