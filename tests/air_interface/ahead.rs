//! Links that threads of the pool prepare ahead are those that are prepared when they are needed:
//! whatever the order of all-reduces, and whatever fails.

use super::{SEEDS, config, tensors};
use airloom::policy::Descent;
use airloom::radio::{
    Air, Clusters, Coherence, Csi, Digital, Distortion, Doppler, Expected, Hierarchy, LinkBudget,
    Plan, RadioConfig, RadioError, Scheme, Transceiver, TransceiverDesign, TransceiverProblem,
    Turns, UncodedFdma,
};
use airloom::units::{Decibels, Hertz, Instant, Seconds, Watts};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

const DEVICES: usize = 4;
const ENTRIES: usize = 48;
/// Numbers of all-reduces of one batch lie close together and far from those of another.
const APART: u64 = 1 << 40;

/// Descends, unless the first channel is of the kind that it cannot bear.
#[derive(Debug, Clone, Copy)]
enum Fussy {
    Never,
    Refuses,
    Panics,
}

impl TransceiverDesign for Fussy {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        let unbearable = problem.channels[0][(0, 0)].re > 0.3;
        match (self, unbearable) {
            (Self::Refuses, true) => Err(RadioError::SingularChannel {
                device: 0,
                streams: problem.streams,
            }),
            (Self::Panics, true) => panic!("a bug of a design"),
            _ => Descent::default().design(problem),
        }
    }
}

fn air(scheme: &Scheme, config: &RadioConfig, design: Fussy) -> Air {
    let design = Box::new(design);
    Air::new(config.clone(), scheme.clone(), design, DEVICES, SEEDS).unwrap()
}

/// What an all-reduce did, the error to be expected of it before and after; none if it panicked.
type Outcome = Option<Result<(Option<(Vec<u32>, Distortion)>, Plan, [Told; 2]), String>>;
type Told = Option<Expected>;

/// Two or three all-reduces to the millisecond.
fn now(index: u64) -> Instant {
    Instant(index % APART * 400_000_000)
}

/// The all-reduce number `index` on `air`, `computed` or only timed.
fn outcome(air: &mut Air, (index, computed): (u64, bool)) -> Outcome {
    let reduce = || {
        let parts = tensors(DEVICES, ENTRIES, index);
        let parts: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        let mut sum = vec![0.0; ENTRIES];
        let round = air.round(index, now(index))?;
        let before = round.expected(ENTRIES);
        let reduced = match computed {
            true => {
                let distortion = round.reduce(&parts, &mut sum)?;
                Some((sum.iter().map(|x| x.to_bits()).collect(), distortion))
            }
            false => None,
        };
        let plan = round.plan(ENTRIES)?;
        Ok((reduced, plan, [before, round.expected(ENTRIES)]))
    };
    let done = catch_unwind(AssertUnwindSafe(reduce)).ok()?;
    Some(done.map_err(|error: RadioError| error.to_string()))
}

fn schemes() -> impl Strategy<Value = Scheme> {
    let hierarchy = Hierarchy {
        clusters: Clusters::Equal(2),
        within: Box::new(Scheme::default()),
        between: Box::new(Scheme::default()),
        turns: Turns::InTurn,
        ..Hierarchy::default()
    };
    prop_oneof![
        Just(Scheme::default()),
        Just(Scheme::Digital(Digital::default())),
        Just(Scheme::UncodedFdma(UncodedFdma::default())),
        Just(Scheme::Hierarchy(hierarchy)),
    ]
}

/// All-reduces of two batches, most of them computed: each goes on where it was, leaves some out,
/// or begins anew.
fn orders() -> impl Strategy<Value = Vec<(u64, bool)>> {
    let on = prop_oneof![8 => Just(1), 1 => 2u64..40];
    prop::collection::vec((0u64..2, on, prop::bool::weighted(0.8)), 1..40).prop_map(|steps| {
        let mut next = [0, APART];
        let step = |(batch, on, computed): (u64, u64, bool)| {
            let index = &mut next[batch as usize];
            *index += on;
            (*index, computed)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nobody_can_tell_what_was_prepared_ahead(
        scheme in schemes(),
        order in orders(),
        coherence in prop_oneof![
            Just((Coherence::PerAllReduce, Doppler::Off)),
            Just((Coherence::PerAllReduce, Doppler::Shift(Hertz(30.0)))),
            Just((Coherence::Time(Seconds(1e-3)), Doppler::Off)),
            Just((Coherence::Time(Seconds(1e-3)), Doppler::Shift(Hertz(30.0)))),
        ],
        estimation_error in prop_oneof![Just(0.0), Just(0.1)],
        design in prop_oneof![Just(Fussy::Never), Just(Fussy::Refuses)],
        // With watts the plan rests on the link, too.
        reference_power in prop_oneof![Just(None), Just(Some(Watts(0.2)))],
        threads in 2usize..5,
    ) {
        let config = RadioConfig {
            csi: Csi { estimation_error, delay: Seconds(1e-3), ..Csi::default() },
            coherence: coherence.0,
            doppler: coherence.1,
            budget: LinkBudget::Normalised { snr: Decibels(10.0), reference_power },
            ..config(10.0)
        };
        let run = |threads| -> Vec<Outcome> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let mut air = air(&scheme, &config, design);
                order.iter().map(|step| outcome(&mut air, *step)).collect()
            })
        };
        // One thread has nobody who could prepare anything.
        prop_assert_eq!(run(threads), run(1));
    }
}

#[test]
fn a_panic_ahead_is_one_of_its_own_all_reduce() {
    let (scheme, config) = (Scheme::default(), config(10.0));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    let together: Vec<Outcome> = pool.unwrap().install(|| {
        let mut air = air(&scheme, &config, Fussy::Panics);
        (0..24)
            .map(|index| outcome(&mut air, (index, true)))
            .collect()
    });
    let alone = |index| outcome(&mut air(&scheme, &config, Fussy::Panics), (index, true));
    let panicked = together.iter().filter(|outcome| outcome.is_none()).count();
    assert!((1..24).contains(&panicked), "{panicked}");
    assert_eq!(together, (0..24).map(alone).collect::<Vec<_>>());
}
