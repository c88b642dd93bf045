//! The columns of tables of measurements.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Board,
    Network,
    Model,
    Quantisation,
    WeightBits,
    ModelGib,
    CacheBits,
    Devices,
    Context,
    Compute,
    Transfer,
    Total,
    PrefillTokens,
    PrefillRate,
    DecodeTokens,
    DecodeRate,
    Watts,
    PrefillWatts,
    IdleWatts,
}

/// A column that tables may have.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in the first line.
    pub name: &'static str,
    /// The unit of its numbers; empty for words and counts.
    pub unit: &'static str,
    /// What its cells say.
    pub meaning: &'static str,
    pub(super) field: Field,
}

const fn column(
    field: Field,
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
) -> Column {
    Column {
        name,
        unit,
        meaning,
        field,
    }
}

/// Every column, of which a table has any; `board` and `model` must be there. An empty cell was
/// not measured.
pub const COLUMNS: &[Column] = &[
    column(Field::Board, "board", "", "which device, by any name"),
    column(
        Field::Model,
        "model",
        "",
        "which model, by a name of `airloom list`",
    ),
    column(
        Field::Network,
        "network",
        "",
        "what joins the devices: `gigabit ethernet`, `10 gigabit ethernet`, or other words, of which the rate is not known",
    ),
    column(
        Field::Quantisation,
        "quantisation",
        "",
        "how weights are stored, in llama.cpp's words: F16, Q8_0, Q6_K, Q5_K_M, Q4_K_M, Q4_0 …; weight_bits or model_gib say it better",
    ),
    column(
        Field::WeightBits,
        "weight_bits",
        "bit",
        "bits per weight, scales included",
    ),
    column(
        Field::ModelGib,
        "model_gib",
        "GiB",
        "size of the model's file, from which bits per weight follow where weight_bits is not given",
    ),
    column(
        Field::CacheBits,
        "cache_bits",
        "bit",
        "bits per entry of the key–value cache; 16 where it is not given",
    ),
    column(
        Field::Devices,
        "devices",
        "",
        "among how many devices every layer is divided; 1 where it is not given",
    ),
    column(
        Field::Context,
        "context",
        "",
        "tokens in the cache, the mean over the tokens that were timed; where it is not given half of decode_tokens, or 0",
    ),
    column(
        Field::Compute,
        "compute_ms",
        "ms",
        "the computing of one device per generated token",
    ),
    column(
        Field::Transfer,
        "transfer_ms",
        "ms",
        "its time in the network per generated token, waiting included",
    ),
    column(
        Field::Total,
        "total_ms",
        "ms",
        "all of its time per generated token",
    ),
    column(
        Field::PrefillTokens,
        "prefill_tokens",
        "",
        "tokens of the prompt that was timed",
    ),
    column(
        Field::PrefillRate,
        "prefill_tokens_per_s",
        "1/s",
        "prompt tokens per second",
    ),
    column(
        Field::DecodeTokens,
        "decode_tokens",
        "",
        "tokens that were generated, from an empty cache on",
    ),
    column(
        Field::DecodeRate,
        "decode_tokens_per_s",
        "1/s",
        "generated tokens per second",
    ),
    column(
        Field::Watts,
        "watts",
        "W",
        "whole power at the wall while decoding",
    ),
    column(
        Field::PrefillWatts,
        "prefill_watts",
        "W",
        "whole power at the wall during a long prompt",
    ),
    column(
        Field::IdleWatts,
        "idle_watts",
        "W",
        "power at the wall of a device at rest",
    ),
];
