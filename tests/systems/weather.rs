//! Law 11: a transfer meets the channel of what it is, not of how many came before.

use super::simulated;

const CELL: &str = r#"replicas: [(placement: TensorParallel(over: "left", at: "edge"))],"#;
const PROMPT: &str = r#"Generate(prompt: "Once Clara was in the barn", max_tokens: 4)"#;

/// The error to be expected of every all-reduce of the last request.
fn expected(workload: &str) -> Vec<f64> {
    let run = simulated(&format!("{CELL} workload: [{workload}],"));
    let last = run.measured.requests.last().unwrap().request;
    let blocks = run.measured.blocks.iter();
    let own = blocks.filter(|block| block.request == last);
    own.map(|block| block.distortion.unwrap().analytic_mse.unwrap())
        .collect()
}

#[test]
fn law_11_a_prompt_meets_the_same_channels_alone_and_behind_others() {
    let alone = expected(PROMPT);
    let behind = expected(&format!("Score(text: World(documents: 3)), {PROMPT}"));
    assert_eq!(alone, behind);
    let again = expected(&format!("{PROMPT}, {PROMPT}"));
    assert_ne!(alone, again, "asked again it meets others");
}

#[test]
fn law_11_the_number_of_requests_in_flight_changes_no_channel() {
    let errors = |in_flight: usize| {
        let run = simulated(&format!(
            r#"replicas: [(in_flight: {in_flight}, placement: Pipeline(stages: [
                TensorParallel(over: "left", at: "edge"),
                TensorParallel(over: "right", at: "edge")]))],
            workload: [
                Generate(prompt: "Once Clara was", max_tokens: 3, arrival: At("0 s")),
                Generate(prompt: "The town of Arden lies in", max_tokens: 3, arrival: At("0 s")),
            ],"#
        ));
        let blocks = run.measured.blocks.iter();
        let mut errors: Vec<(u32, u32, u32, &str, u64)> = blocks
            .map(|block| {
                let error = block.distortion.unwrap().analytic_mse.unwrap();
                (
                    block.request,
                    block.step,
                    block.layer,
                    block.sublayer,
                    error.to_bits(),
                )
            })
            .collect();
        errors.sort_unstable();
        errors
    };
    assert_eq!(errors(1), errors(2));
}

#[test]
fn law_11_two_radios_have_channels_of_their_own() {
    let errors = |over: &str| {
        let run = simulated(&format!(
            r#"replicas: [(placement: TensorParallel(over: "{over}", at: "edge"))],
            workload: [{PROMPT}],"#
        ));
        let first = &run.measured.blocks[0];
        first.distortion.unwrap().analytic_mse
    };
    assert_ne!(errors("left"), errors("right"));
}
