//! Expert selection, on gates small enough to work by hand, and laws on random ones.

use airloom::policy::{
    DroppedWeight, ExpertPolicy, FinalDrop, Gate, LatencyHistory, PolicyError, Selection,
    Similarity, TopK, WeightToLatency,
};
use proptest::prelude::*;

/// Expert q on device q.
const OWN: [Option<usize>; 4] = [Some(0), Some(1), Some(2), Some(3)];

fn gate<'a>(weights: &'a [f32], latency: &'a [f64]) -> Gate<'a> {
    Gate {
        weights,
        top_k: 2,
        latency,
        device: &OWN[..latency.len()],
        history: &[None; 4],
    }
}

fn chosen(selection: &Selection) -> Vec<Vec<usize>> {
    (0..selection.tokens())
        .map(|token| selection.of(token).collect())
        .collect()
}

#[test]
fn the_heaviest_reachable_experts_are_chosen() {
    let weights = [0.1, 0.4, 0.2, 0.3, 0.25, 0.25, 0.25, 0.25];
    let reach = [1.0; 4];
    let all = TopK.select(&gate(&weights, &reach)).unwrap();
    assert_eq!(chosen(&all), [vec![1, 3], vec![0, 1]]);
    // Cut off, an expert is passed over; with fewer left than k, all that are left.
    let cut = [1.0, f64::INFINITY, 1.0, 1.0];
    let some = TopK.select(&gate(&weights, &cut)).unwrap();
    assert_eq!(chosen(&some), [vec![2, 3], vec![0, 2]]);
    let far = [f64::INFINITY, f64::INFINITY, 1.0, f64::INFINITY];
    let one = TopK.select(&gate(&weights, &far)).unwrap();
    assert_eq!(chosen(&one), [vec![2], vec![2]]);
    let none = TopK.select(&gate(&weights, &[f64::INFINITY; 4]));
    assert_eq!(none.unwrap_err(), PolicyError::NoExpert);
}

#[test]
fn weights_are_shared_or_lost() {
    let weights = [0.5f32, 0.25, 0.125, 0.125];
    let latency = [1.0; 4];
    let gate = gate(&weights, &latency);
    let both = TopK.select(&gate).unwrap();
    let two = both.weights(&gate, DroppedWeight::Shared).unwrap();
    assert_eq!(two, [0.5 / 0.75, 0.25 / 0.75, 0.0, 0.0]);
    let one = Selection::heaviest(&Gate { top_k: 1, ..gate }).unwrap();
    let shared = one.weights(&gate, DroppedWeight::Shared).unwrap();
    assert_eq!(shared, [1.0, 0.0, 0.0, 0.0]);
    let lost = one.weights(&gate, DroppedWeight::Lost).unwrap();
    assert_eq!(lost, [0.5 / 0.75, 0.0, 0.0, 0.0]);
}

/// Two experts; device 1 is ten times slower. S of a token with weights (w, 1 − w) and
/// latencies (1, 10): 0.95/0.05 gives 0.153, 0.85/0.15 gives 0.271, 0.4/0.6 gives 0.882.
const SLOW: [f64; 2] = [1.0, 10.0];
const MIXED: [f32; 6] = [0.95, 0.05, 0.85, 0.15, 0.4, 0.6];

#[test]
fn algorithm_1_drops_where_weight_and_latency_disagree() {
    // WLR at first: (0.95 + 0.85 + 0.4)/3 + (0.05 + 0.15 + 0.6)/30 = 0.76. At θ = 0.5 the
    // first two lose expert 1: 2.2/3 + 0.6/10 = 0.7933 > 1.01 · 0.76: the loop ends.
    let selected = WeightToLatency::default().select(&gate(&MIXED, &SLOW));
    assert_eq!(chosen(&selected.unwrap()), [vec![0], vec![0], vec![0, 1]]);
}

#[test]
fn algorithm_1_raises_its_threshold_until_it_pays() {
    // With a gain out of reach θ rises to its limit of 0.9, above every S: all drop, and
    // each keeps its heavier expert.
    let eager = WeightToLatency {
        gain: 100.0,
        limit: 0.9,
        ..WeightToLatency::default()
    };
    let selected = eager.select(&gate(&MIXED, &SLOW)).unwrap();
    assert_eq!(chosen(&selected), [vec![0], vec![0], vec![1]]);
    // A limit of 0.8 stops short of the third token.
    let timid = WeightToLatency {
        limit: 0.8,
        ..eager
    };
    let selected = timid.select(&gate(&MIXED, &SLOW)).unwrap();
    assert_eq!(chosen(&selected), [vec![0], vec![0], vec![0, 1]]);
}

#[test]
fn the_last_drop_is_at_the_last_threshold_or_one_step_further() {
    // S = 0.153 and 0.55: at θ = 0.5 only the first token drops, which already pays; the
    // listing's own order of lines drops at 0.6 too.
    let weights = [0.95f32, 0.05, 0.689, 0.311];
    let last = WeightToLatency::default();
    let next = WeightToLatency {
        final_drop: FinalDrop::NextStep,
        ..last
    };
    let gate = gate(&weights, &SLOW);
    assert_eq!(chosen(&last.select(&gate).unwrap()), [vec![0], vec![0, 1]]);
    assert_eq!(chosen(&next.select(&gate).unwrap()), [vec![0], vec![0]]);
}

#[test]
fn similarity_goes_over_all_experts_or_the_selected_ones() {
    // Experts 2 and 3 are light and fast: they change S over all experts from that over
    // the two selected: (0.5, 0.3) against (1, 2) is 0.844; with two latencies of 9 on
    // weights of 0.1 it is 0.370.
    let weights = [0.5f32, 0.3, 0.1, 0.1];
    let latency = [1.0, 2.0, 9.0, 9.0];
    let at = |similarity| WeightToLatency {
        similarity,
        limit: 0.5,
        ..WeightToLatency::default()
    };
    let gate = gate(&weights, &latency);
    let all = at(Similarity::AllExperts).select(&gate).unwrap();
    assert_eq!(chosen(&all), [vec![0]]);
    let selected = at(Similarity::SelectedExperts).select(&gate).unwrap();
    assert_eq!(chosen(&selected), [vec![0, 1]]);
}

#[test]
fn algorithm_2_takes_the_lightest_tokens_from_a_device_far_behind() {
    // Six tokens visit expert 0 and one of 1, 2, 3. J = (6, 2, 2, 2), t̄ = (2, 1, 1, 1):
    // t̂ = (12, 2, 2, 2), Q₃ = 2 + 0.25·10 = 4.5 and 12 > 6.75; at most ⌊7.5/2⌋ = 3 go.
    let heavy = [0.3f32, 0.2, 0.1, 0.45, 0.4, 0.6];
    let weights: Vec<f32> = heavy
        .iter()
        .enumerate()
        .flat_map(|(token, weight)| {
            let mut row = [*weight, 0.0, 0.0, 0.0];
            row[1 + token % 3] = 1.0 - weight;
            row
        })
        .collect();
    let latency = [1.0; 4];
    let history = [Some(2.0), Some(1.0), Some(1.0), Some(1.0)];
    let gate = Gate {
        history: &history,
        ..gate(&weights, &latency)
    };
    // The mean weight is 0.3417: tokens 0, 1, 2 weigh less and expert 0 is their lightest.
    let policy = LatencyHistory::default();
    let relieved = chosen(&policy.select(&gate).unwrap());
    assert_eq!(
        relieved,
        [
            vec![1],
            vec![2],
            vec![3],
            vec![0, 1],
            vec![0, 2],
            vec![0, 3]
        ]
    );
    // A shorter queue may lose only ⌊(t̂ − Q₃)/t̄⌋ of them, the lightest.
    let quick = [Some(0.6), Some(1.0), Some(1.0), Some(1.0)];
    // t̂ = (3.6, 2, 2, 2), Q₃ = 2.4, 3.6 > 1.5·2.4 fails: as it was.
    let kept = policy
        .select(&Gate {
            history: &quick,
            ..gate
        })
        .unwrap();
    assert_eq!(kept.counts(), [6, 2, 2, 2]);
    let middling = [Some(0.8), Some(1.0), Some(1.0), Some(1.0)];
    // t̂ = (4.8, 2, 2, 2), Q₃ = 2.7, 4.8 > 4.05: ⌊2.1/0.8⌋ = 2 go.
    let some = policy
        .select(&Gate {
            history: &middling,
            ..gate
        })
        .unwrap();
    assert_eq!(chosen(&some)[..3], [vec![0, 1], vec![2], vec![3]]);
    // Without a past it does not act.
    let young = [None, Some(1.0), Some(1.0), Some(1.0)];
    let all = policy
        .select(&Gate {
            history: &young,
            ..gate
        })
        .unwrap();
    assert_eq!(all.counts(), [6, 2, 2, 2]);
}

#[test]
fn algorithm_1_leaves_the_server_its_tokens() {
    // Expert 1 is on the server: the tokens that would leave a slow device stay with it.
    let eager = WeightToLatency {
        gain: 100.0,
        ..WeightToLatency::default()
    };
    let mixed = Gate {
        device: &[Some(0), None],
        ..gate(&MIXED, &SLOW)
    };
    for similarity in [Similarity::AllExperts, Similarity::SelectedExperts] {
        let policy = WeightToLatency {
            similarity,
            ..eager
        };
        // The third token's lightest expert is on device 0.
        let selected = policy.select(&mixed).unwrap();
        assert_eq!(chosen(&selected)[..2], [vec![0, 1], vec![0, 1]]);
        let server = Gate {
            device: &[None, None],
            latency: &[0.0, 0.0],
            ..mixed
        };
        let all = policy.select(&server).unwrap();
        assert_eq!(all.counts(), [3, 3]);
    }
}

#[test]
fn algorithm_2_compares_only_devices_that_hold_experts() {
    // Devices 2 and 3 hold none. t̂ = (6, 1) on 0 and 1: Q₃ = 4.75, and 6 > 7.125 fails.
    // Counting the other two, Q₃ would be 2.25 and tokens be taken away.
    let weights = [0.4f32, 0.6].repeat(6);
    let history = [Some(1.0), Some(1.0 / 6.0), Some(9.0), None];
    let block = Gate {
        history: &history,
        ..gate(&weights, &[1.0; 2])
    };
    let policy = LatencyHistory::default();
    assert_eq!(policy.select(&block).unwrap().counts(), [6, 6]);
    // With a lower bar ⌊(6 − 4.75)/1⌋ = 1 token may go, if light enough.
    let strict = LatencyHistory {
        outlier: 1.2,
        light: 1.1,
    };
    assert_eq!(strict.select(&block).unwrap().counts(), [5, 6]);
    // A device that holds an expert and has no past is in no quartile while it is idle.
    let weights = [0.4f32, 0.6, 0.0].repeat(6);
    let history = [Some(1.0), Some(1.0 / 6.0), None];
    let idle = Gate {
        history: &history,
        ..gate(&weights, &[1.0; 3])
    };
    assert_eq!(strict.select(&idle).unwrap().counts(), [5, 6, 0]);
}

fn random_gate() -> impl Strategy<Value = (Vec<f32>, Vec<f64>, usize)> {
    (2..6usize, 1..20usize, 1..4usize).prop_flat_map(|(experts, tokens, top_k)| {
        let weights = proptest::collection::vec(0.001f32..1.0, experts * tokens);
        let weights = weights.prop_map(move |mut weights| {
            for row in weights.chunks_exact_mut(experts) {
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|weight| *weight /= sum);
            }
            weights
        });
        let latency = proptest::collection::vec(1e-4..1e-1, experts);
        (weights, latency, Just(top_k))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_policy_keeps_the_heaviest_expert_and_adds_none((weights, latency, top_k) in random_gate()) {
        let experts = latency.len();
        let device: Vec<Option<usize>> = (0..experts).map(|e| e.checked_sub(1)).collect();
        let history: Vec<Option<f64>> = (1..experts).map(|e| Some(latency[e])).collect();
        let gate = Gate { weights: &weights, top_k, latency: &latency, device: &device, history: &history };
        let vanilla = Selection::heaviest(&gate).unwrap();
        let listing = WeightToLatency { final_drop: FinalDrop::NextStep, ..WeightToLatency::default() };
        for policy in [&WeightToLatency::default() as &dyn ExpertPolicy, &listing, &LatencyHistory::default()] {
            let selected = policy.select(&gate).unwrap();
            let sums = selected.weights(&gate, DroppedWeight::Shared).unwrap();
            for token in 0..selected.tokens() {
                let first = Selection::heaviest(&Gate { top_k: 1, ..gate }).unwrap();
                let heaviest = first.of(token).next().unwrap();
                prop_assert!(selected.visits(token, heaviest));
                for expert in selected.of(token) {
                    prop_assert!(vanilla.visits(token, expert));
                }
                let sum: f32 = sums[token * experts..(token + 1) * experts].iter().sum();
                prop_assert!((sum - 1.0).abs() < 1e-5);
            }
            let loads = selected.loads(&device, experts - 1);
            let counts = selected.counts();
            prop_assert_eq!(counts[0] as f64 + loads.iter().sum::<f64>(), counts.iter().sum::<u64>() as f64);
        }
    }
}
