//! Scenarios that cannot be, refused by field.

use crate::{SYNTHETIC, body, parse};
use airloom::model::ModelShape;

#[test]
fn what_does_not_fit_is_refused_by_field() {
    let refused = |body: String, words: &[&str]| {
        let fault = parse(&body).map(|_| ()).unwrap_err();
        for word in words {
            assert!(fault.contains(word), "{fault}");
        }
    };
    let tokens = "Tokens(prompt: 9)";
    refused(
        body("", tokens),
        &["replicas[0].placement.router", "Synthetic()"],
    );
    refused(
        body("router: Synthetic(correlation: 1.0)", tokens),
        &["replicas[0].placement.router.correlation"],
    );
    refused(
        body("router: Trace(\"nowhere.csv\")", tokens),
        &["replicas[0].placement.router", "there is no file"],
    );
    refused(
        body(
            &format!("{SYNTHETIC}, experts: Experts([Device(9)])"),
            tokens,
        ),
        &["replicas[0].placement.experts", "no device 9"],
    );
    refused(
        body(&format!("{SYNTHETIC}, bits: 1"), tokens),
        &["bits", "use 2 to 16"],
    );
    refused(
        body(SYNTHETIC, "Generate(prompt: \"Mara\")"),
        &["workload[0]", "Tokens(prompt: 500)"],
    );
    refused(
        body(SYNTHETIC, tokens).replace("device_antennas: 1", "device_antennas: 2"),
        &["links.air.device_antennas", "write 1"],
    );
    refused(
        body(SYNTHETIC, tokens).replace(
            "server_antennas: 1",
            "server_antennas: 1, device_antennas_except: {2: 4}",
        ),
        &["links.air.device_antennas_except[2]", "write 1"],
    );
    refused(
        body(SYNTHETIC, tokens).replace("mixtral-8x7b", "mixtral"),
        &["model", "mixtral-8x7b"],
    );
    refused(
        body(SYNTHETIC, tokens).replace("mixtral-8x7b", "llama-2-7b"),
        &["model", "no experts", "TensorParallel"],
    );
    assert!(
        ModelShape::named("mixtral-8x7b")
            .unwrap()
            .expert_work(1)
            .flops
            == 352_450_560
    );
}
