//! Who answers where a small model comes before a large one, told beforehand from runs of each alone.

use super::{joules_add_up, simulated, texts};
use airloom::simulation::Simulated;

pub(super) const PLACES: &str = r#"
    nodes: {
        "phone": (profile: Preset("phone-a17-pro")),
        "edge": (profile: Preset("edge-server-l4")),
    },
    links: {"access": Wire(between: ("phone", "edge"), rate: "20 Mbit/s", delay: "2 ms")},"#;

pub(super) const SMALL: &str = r#"Folder("models/tiny-llama-draft")"#;
pub(super) const LARGE: &str = r#"Folder("models/tiny-llama")"#;

pub(super) const TEXTS: &str = r#"
    Generate(prompt: "Once Clara was in the barn and needed the green lamp.", max_tokens: 20, from: "phone"),
    Generate(prompt: "Start with 7. Then add 5, which makes", max_tokens: 6, from: "phone"),
    Generate(prompt: "The town of Arden lies in", max_tokens: 12, from: "phone"),
    Generate(prompt: "Question: Where is", max_tokens: 9, from: "phone"),
    Generate(prompt: "Mara", max_tokens: 4, from: "phone"),"#;

const QUESTIONS: &str = "Choose(suite: Facts, questions: 12)";

fn alone(model: &str, at: &str, workload: &str) -> Simulated {
    simulated(&format!(
        "seed: 3, model: {model}, {PLACES} workload: [{workload}], \
         replicas: [(placement: Single(at: \"{at}\"))]"
    ))
}

fn cascade(threshold: f64, workload: &str) -> Simulated {
    simulated(&format!(
        "seed: 3, model: {LARGE}, models: {{\"small\": {SMALL}}}, {PLACES} workload: [{workload}], \
         replicas: [(placement: Single(at: \"edge\"), \
         decoding: Cascade(model: \"small\", at: \"phone\", threshold: {threshold:?}))]"
    ))
}

fn crossed(run: &Simulated) -> u64 {
    let nodes = run.measured.totals.per_node.iter();
    nodes.map(|node| node.uplink_bits).sum()
}

/// By request, the least probability of a token that the small model chooses alone.
fn least(run: &Simulated) -> Vec<f64> {
    let mut least = vec![1.0f64; run.measured.requests.len()];
    for pass in &run.measured.passes {
        let probability = libm::exp(-pass.negative_log_likelihood.unwrap());
        let own = &mut least[pass.request as usize];
        *own = own.min(probability);
    }
    least
}

/// A threshold that some of the first answers reach.
fn middle(run: &Simulated) -> f64 {
    let firsts = run.measured.first_answers.iter();
    let mut least: Vec<f64> = firsts.map(|first| first.least_probability).collect();
    least.sort_by(f64::total_cmp);
    let half = least.len() / 2;
    f64::midpoint(least[half - 1], least[half])
}

#[test]
fn law_12_at_threshold_0_the_small_model_answers_and_at_1_the_large_one() {
    let (small, large) = (alone(SMALL, "phone", TEXTS), alone(LARGE, "edge", TEXTS));
    let (none, all) = (cascade(0.0, TEXTS), cascade(1.0, TEXTS));
    assert_eq!(texts(&none), texts(&small));
    assert_eq!(texts(&all), texts(&large));
    assert_ne!(texts(&none), texts(&all));
    assert_eq!(none.metrics.get("small_answers"), Some(1.0));
    assert_eq!(all.metrics.get("small_answers"), Some(0.0));
    // Who stands spares the way: nothing crosses it, and what did not is what crosses up at 1.
    assert_eq!(crossed(&none), 0);
    let prompts: u64 = (all.measured.requests.iter())
        .map(|request| 32 * request.input_tokens)
        .sum();
    let down: u64 = (all.measured.requests.iter())
        .map(|request| 32 * request.output_tokens)
        .sum();
    assert_eq!(crossed(&all), prompts + down);
    assert_eq!(none.metrics.get("spared_prompt_bits"), Some(prompts as f64));
    assert_eq!(all.metrics.get("spared_prompt_bits"), Some(0.0));
}

#[test]
fn who_answers_is_told_by_the_least_probable_token_of_the_small_model_alone() {
    let (small, large) = (alone(SMALL, "phone", TEXTS), alone(LARGE, "edge", TEXTS));
    let least = least(&small);
    let mut sorted = least.clone();
    sorted.sort_by(f64::total_cmp);
    for pair in sorted.windows(2) {
        let threshold = f64::midpoint(pair[0], pair[1]);
        let run = cascade(threshold, TEXTS);
        let expected: Vec<String> = (least.iter().zip(texts(&small).iter().zip(texts(&large))))
            .map(|(least, (small, large))| match *least >= threshold {
                true => small.clone(),
                false => large,
            })
            .collect();
        assert_eq!(texts(&run), expected, "{threshold}");
        let standing = least.iter().filter(|least| **least >= threshold).count();
        let share = standing as f64 / least.len() as f64;
        assert_eq!(run.metrics.get("small_answers"), Some(share));
        assert_eq!(run.measured.first_answers.len(), least.len());
        // What was begun in vain is paid for.
        assert!(
            run.measured
                .requests
                .iter()
                .all(|request| request.energy_j.is_some())
        );
        joules_add_up(&run);
    }
}

/// Nothing of an answer is shown before it stands, or before the large model has begun its own.
#[test]
fn no_token_of_a_first_answer_comes_before_it_stands() {
    let run = cascade(middle(&cascade(0.0, TEXTS)), TEXTS);
    let firsts = &run.measured.first_answers;
    assert!(firsts.iter().any(|first| first.stands) && firsts.iter().any(|first| !first.stands));
    for token in &run.measured.tokens {
        let first = firsts.iter().find(|first| first.request == token.request);
        assert!(token.at >= first.unwrap().at, "{token:?}");
    }
}

#[test]
fn of_questions_each_is_answered_by_who_is_sure_of_it() {
    let (small, large) = (
        alone(SMALL, "phone", QUESTIONS),
        alone(LARGE, "edge", QUESTIONS),
    );
    let (none, all) = (cascade(0.0, QUESTIONS), cascade(1.0, QUESTIONS));
    let chosen = |run: &Simulated| -> Vec<u32> {
        let answers = run.measured.answers.iter();
        answers.map(|answer| answer.chosen).collect()
    };
    assert_eq!(chosen(&none), chosen(&small));
    assert_eq!(chosen(&all), chosen(&large));
    assert_eq!(all.metrics.get("accuracy"), large.metrics.get("accuracy"));
    // Between, each question has the answer of one of the two.
    let run = cascade(middle(&none), QUESTIONS);
    let who: Vec<bool> = (run.measured.first_answers.iter())
        .map(|first| first.stands)
        .collect();
    assert!(who.contains(&true) && who.contains(&false), "{who:?}");
    let answers = chosen(&small).into_iter().zip(chosen(&large));
    let expected: Vec<u32> = (who.iter().zip(answers))
        .map(|(small_stands, (small, large))| if *small_stands { small } else { large })
        .collect();
    assert_eq!(chosen(&run), expected);
}
