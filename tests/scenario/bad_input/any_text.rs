//! No text makes the program panic.

use super::{Desk, GOOD};
use airloom::scenario::{self, Override};
use proptest::prelude::*;

/// Pieces from which texts near a scenario are made.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,4}",
        "[(){}\\[\\],:\"#!=/*\\\\.+-]{1,3}",
        Just("Some(".to_owned()),
        Just("None".to_owned()),
        Just("r#\"".to_owned()),
        Just("0x".to_owned()),
        Just("1e".to_owned()),
        Just("-170141183460469231731687303715884105728".to_owned()),
        Just("sweep: (axes: [(path: \"nodes.device.count\", values: [1, 0, x])]),".to_owned()),
        Just("Rayleigh(carrier: 1, distance: [\"1\"])".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Desk::new().load(&text, &[]);
    }

    /// Cuts pieces out of the good scenario and puts others in their place.
    #[test]
    fn no_damaged_scenario_panics(
        cuts in prop::collection::vec((0..GOOD.len(), 0usize..24, piece()), 1..4),
    ) {
        let mut text = GOOD.to_owned();
        for (start, length, piece) in cuts {
            let start = text.floor_char_boundary(start.min(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &piece);
        }
        match Desk::new().load(&text, &[]) {
            Ok(resolved) => { let _ = scenario::points(&resolved); }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn no_override_panics(
        path in "(seed|devices|radio|architecture|workload|sweep|model|server)?([.][a-z_]{1,10}|\\[[0-9]\\]){0,4}",
        value in prop_oneof![piece(), "\\PC*", Just("Digital(bits: 8)".to_owned())],
    ) {
        if let Ok(change) = format!("{path}={value}").parse::<Override>() {
            let desk = Desk::new();
            let _ = scenario::parse(GOOD, &desk.folder.path().join("bad.ron"), &[change]);
        }
    }
}
