//! The manual, for those who run airloom rather than read it. The README has the first
//! five minutes; each page here tells one subject, and is a text beside this file.

/// Each page is a module without items, so that `cargo doc` shows it. Pages name each
/// other as `[Sweeps]`: the definitions here lead to modules, those at the end of a text,
/// which count only where these are missing, to files.
macro_rules! pages {
    ($($name:ident $file:literal;)*) => {
        $(
            #[doc = concat!(
                "[Calibration]: crate::manual::calibration\n",
                "[Channels]: crate::manual::channels\n[Columns]: crate::manual::columns\n",
                "[Decoding]: crate::manual::decoding\n[Early exit]: crate::manual::early_exit\n",
                "[Experts]: crate::manual::experts\n[Laws]: crate::manual::laws\n",
                "[Machines]: crate::manual::machines\n",
                "[Metrics]: crate::manual::metrics\n[Models]: crate::manual::models\n",
                "[Replay]: crate::manual::replay\n[Requests]: crate::manual::requests\n",
                "[Results]: crate::manual::results\n",
                "[Scenarios]: crate::manual::scenarios\n[Serving]: crate::manual::serving\n",
                "[Sweeps]: crate::manual::sweeps\n",
                "[Systems]: crate::manual::systems\n",
                "[Trust]: crate::manual::trust\n",
                "[Tensor parallelism]: crate::manual::tensor_parallelism\n",
            )]
            #[doc = ""]
            // Only where pages are made of it: else a page that is edited compiles everything again.
            #[cfg_attr(any(doc, doctest), doc = include_str!($file))]
            pub mod $name {}
        )*
    };
}

pages! {
    command_line "command_line.md";
    scenarios "scenarios.md";
    systems "systems.md";
    requests "requests.md";
    serving "serving.md";
    decoding "decoding.md";
    early_exit "early_exit.md";
    sweeps "sweeps.md";
    machines "machines.md";
    channels "channels.md";
    tensor_parallelism "tensor_parallelism.md";
    experts "experts.md";
    calibration "calibration.md";
    results "results.md";
    metrics "metrics.md";
    columns "columns.md";
    trust "trust.md";
    replay "replay.md";
    laws "laws.md";
    models "models.md";
    glossary "glossary.md";
    contributing "contributing.md";
}
