//! Zhang et al., "Distributed On-Device LLM Inference With Over-the-Air Computation":
//! Table I and Fig. 2.

mod figure2;
mod fit;
mod table1;

const FOLDER: &str = "results/papers/aircomp";

fn committed(file: &str) -> String {
    let path = format!("{}/{FOLDER}/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
