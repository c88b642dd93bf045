//! The runs that are proved: every shipped scenario with less work, and options that no
//! shipped scenario takes.
//!
//! A variant is a shipped file plus overrides, so it follows the file.

/// A short text and a short answer.
const SHORT: &str = "workload=[\
    Score(text: World(first: 41, documents: 1)), \
    Generate(prompt: \"Once Clara\", max_tokens: 3)]";

/// One prompt, one token.
const GLANCE: &str = "workload=[Generate(prompt: \"The town\", max_tokens: 1)]";

/// A document of 68 tokens: longer than the 64 positions of a panel of keys, and two more
/// than a multiple of six, the most rows that a path takes at a time.
const LONG: &str = "workload=[Score(text: World(first: 125, documents: 1))]";

/// A scenario with changes.
#[derive(Debug)]
pub struct Variant {
    /// Its name in the table of pins.
    pub name: &'static str,
    /// The shipped scenario, without folder and extension.
    pub scenario: &'static str,
    /// What `--set` changes in it.
    pub overrides: &'static [&'static str],
    /// Whether it runs in every surrounding, not only in those that differ most.
    pub everywhere: bool,
}

/// Every variant.
pub const VARIANTS: &[Variant] = &[
    Variant {
        name: "single_node",
        scenario: "single_node",
        overrides: &[SHORT, "trace=Full"],
        everywhere: false,
    },
    Variant {
        name: "pipeline",
        scenario: "pipeline",
        overrides: &[SHORT, "trace=Full"],
        everywhere: true,
    },
    Variant {
        name: "split",
        scenario: "split",
        overrides: &[SHORT, "trace=Full"],
        everywhere: false,
    },
    Variant {
        name: "hybrid",
        scenario: "hybrid",
        overrides: &[SHORT, "trace=Full"],
        everywhere: true,
    },
    Variant {
        name: "replicas",
        scenario: "replicas",
        overrides: &[SHORT, "trace=Full"],
        everywhere: false,
    },
    Variant {
        name: "compare_architectures",
        scenario: "compare_architectures",
        overrides: &[GLANCE, "trace=Full"],
        everywhere: false,
    },
    Variant {
        name: "serving",
        scenario: "serving",
        overrides: &[
            "workload[0].count=3",
            "workload[0].prompt=Texts([\"The town\", \"The town of\"])",
            "workload[0].output=Uniform(from: 1, to: 3)",
            "workload[0].process.rate=\"400 /s\"",
            "replicas[0].cache=Paged(block: 2, tokens: 12, watermark: 0, prefix: true)",
            "trace=Full",
        ],
        everywhere: true,
    },
    Variant {
        name: "serving_load",
        scenario: "serving_load",
        overrides: &[
            "workload[0].count=2",
            "workload[0].prompt=Text(\"The\")",
            "workload[0].output=Fixed(2)",
            "replicas[0].scheduler=Static(batch: 2)",
            "trace=Full",
        ],
        everywhere: false,
    },
    Variant {
        name: "speculative",
        scenario: "speculative",
        overrides: &["workload=[Generate(prompt: \"Once Clara\", max_tokens: 4)]"],
        everywhere: true,
    },
    Variant {
        name: "speculative, drawn",
        scenario: "speculative",
        overrides: &[
            "workload=[Generate(prompt: \"Once Clara\", max_tokens: 4)]",
            "replicas[0].placement=Single(at: \"edge\")",
            "replicas[0].decoding=Speculative(draft: Model(model: \"draft\", at: \"phone\"), \
             length: Fixed(2), sampling: Some((temperature: 1.3, top_p: 0.9)), sends: Quantised(8))",
        ],
        everywhere: true,
    },
    Variant {
        name: "early_exit",
        scenario: "early_exit",
        overrides: &["workload=[Generate(prompt: \"Once Clara\", max_tokens: 4)]"],
        everywhere: true,
    },
    Variant {
        name: "cascade",
        scenario: "cascade",
        overrides: &["workload=[Choose(suite: Pairs, questions: 2)]"],
        everywhere: true,
    },
    Variant {
        name: "weights in groups of 4 bits, an int8 cache",
        scenario: "pipeline",
        overrides: &[
            SHORT,
            "precision=(weights: Groups(bits: 4, size: 32), cache: Int8)",
            "trace=Full",
        ],
        everywhere: true,
    },
    Variant {
        name: "aircomp_tensor_parallel",
        scenario: "aircomp_tensor_parallel",
        overrides: &[SHORT],
        everywhere: true,
    },
    Variant {
        name: "compare_all_reduce, over the air",
        scenario: "compare_all_reduce",
        overrides: &[SHORT, "trace=Full"],
        everywhere: true,
    },
    Variant {
        name: "compare_all_reduce, digital",
        scenario: "compare_all_reduce",
        overrides: &[
            GLANCE,
            "trace=Full",
            "nodes.device.count=8",
            "replicas[0].placement.all_reduce=Digital(bits: 8)",
        ],
        everywhere: false,
    },
    Variant {
        name: "compare_all_reduce, in clusters",
        scenario: "compare_all_reduce",
        overrides: &[
            GLANCE,
            "trace=Full",
            "nodes.device.count=7",
            "replicas[0].placement.all_reduce=Hierarchy(clusters: Equal(3), turns: AtOnce, \
             between: Hierarchy(clusters: Equal(2), between: Digital(bits: 8)))",
        ],
        everywhere: true,
    },
    Variant {
        name: "compare_all_reduce, ideal",
        scenario: "compare_all_reduce",
        overrides: &[
            GLANCE,
            "trace=Full",
            "nodes.device.count=1",
            "replicas[0].placement.all_reduce=Ideal",
        ],
        everywhere: false,
    },
    Variant {
        name: "a document longer than a panel of keys",
        scenario: "compare_all_reduce",
        overrides: &[
            LONG,
            "trace=Full",
            "nodes.device.count=1",
            "replicas[0].placement.all_reduce=Ideal",
        ],
        everywhere: true,
    },
    Variant {
        name: "compare_all_reduce, uncoded",
        scenario: "compare_all_reduce",
        overrides: &[
            GLANCE,
            "trace=Full",
            "nodes.device.count=3",
            "replicas[0].placement.all_reduce=UncodedFdma(subchannel_power: Whole, subchannels: 8)",
        ],
        everywhere: false,
    },
    Variant {
        name: "streams_trade_off",
        scenario: "streams_trade_off",
        overrides: &[
            GLANCE,
            "trace=Full",
            "replicas[0].placement.all_reduce=AirComp(streams: 2)",
        ],
        everywhere: false,
    },
    Variant {
        name: "wrong estimates, out of step, unequal antennas",
        scenario: "aircomp_tensor_parallel",
        overrides: &[
            GLANCE,
            "links.air.device_antennas_except={1: 5}",
            "links.air.csi=(estimation_error: 0.01, doppler: \"30 Hz\", delay: \"1 ms\", \
             pilot_symbols: 64)",
            "links.air.synchronisation=(phase_error: \"5 deg\", timing_error: \"5 ns\")",
        ],
        everywhere: false,
    },
    Variant {
        name: "timed by its shape",
        scenario: "aircomp_tensor_parallel",
        overrides: &[
            "model=Shape(\"llama-3-8b\")",
            "precision=(weight_bits: 4.5)",
            "workload=[Tokens(prompt: 3, generate: 2)]",
        ],
        everywhere: false,
    },
    Variant {
        name: "model_assignment",
        scenario: "model_assignment",
        overrides: &[
            GLANCE,
            "trace=Full",
            "replicas[0].placement.assignment=StochasticSca(iterations: 20, latency_weight: 0.5)",
        ],
        everywhere: false,
    },
    Variant {
        name: "multiple_choice",
        scenario: "multiple_choice",
        overrides: &[
            "trace=Full",
            "replicas[0].placement.all_reduce=AirComp(streams: 4)",
            "workload=[Choose(suite: Pairs, questions: 1)]",
        ],
        everywhere: false,
    },
    Variant {
        name: "dominant eigenvectors, unequal shares",
        scenario: "aircomp_tensor_parallel",
        overrides: &[
            GLANCE,
            "replicas[0].placement.design=DominantEigenvectors",
            "replicas[0].placement.assignment=Fixed([0.4, 0.3, 0.2, 0.1])",
        ],
        everywhere: false,
    },
    Variant {
        name: "path loss, one channel",
        scenario: "aircomp_tensor_parallel",
        overrides: &[
            GLANCE,
            "links.air.fading=Rayleigh(carrier: \"3.5 GHz\", distance: \"40 m\")",
            "links.air.budget=Physical(transmit_power: \"100 mW\", \
             noise_density: \"-174 dBm/Hz\", noise_figure: \"7 dB\")",
            "links.air.coherence=Static",
        ],
        everywhere: false,
    },
    Variant {
        name: "wdmoe_simulated",
        scenario: "wdmoe_simulated",
        overrides: &["workload=[Tokens(prompt: 12, generate: 2)]"],
        everywhere: true,
    },
    Variant {
        name: "wdmoe_simulated, pipelined, one division per pass",
        scenario: "wdmoe_simulated",
        overrides: &[
            "workload=[Tokens(prompt: 6), Tokens(prompt: 6)]",
            "replicas[0].placement.pipelining=Tokens",
            "replicas[0].placement.bandwidth=PerPass()",
            "replicas[0].placement.router=Synthetic(correlation: 0.5)",
        ],
        everywhere: false,
    },
    Variant {
        name: "wdmoe_testbed",
        scenario: "wdmoe_testbed",
        overrides: &["workload=[Tokens(prompt: 10), Tokens(prompt: 30)]"],
        everywhere: false,
    },
    Variant {
        name: "wdmoe_computed",
        scenario: "wdmoe_computed",
        overrides: &[SHORT],
        everywhere: true,
    },
    Variant {
        name: "a document longer than a panel of keys, of experts",
        scenario: "wdmoe_computed",
        overrides: &[LONG],
        everywhere: true,
    },
];
