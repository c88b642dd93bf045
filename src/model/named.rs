//! Shapes of published models by name, from their public configurations.
//!
//! A model joins by one row: its sizes, what its layers are made of, where the numbers are from, and
//! how many parameters its checkpoint has: the sum of its tensors' sizes, without the copy of a tied
//! table that some files have. Precisions are 16 bit throughout; callers that quantise change them.
//!
//! Beside the papers, all sizes but the parameters were held against the list of configurations in
//! Lightning-AI/litgpt (`litgpt/config.py`, commit 2685705 of 2026), which was made from the published
//! files and agrees on LLaMA 2 and 3, TinyLlama, Mistral, Mixtral, Gemma 2, Qwen2.5, Qwen3, Phi-3-mini
//! and Phi-4 (of Mixtral 8x22B it has the vocabulary of the Instruct version, 32 768); and against
//! copies of `config.json` in public repositories: OPT 125m, 1.3b, 6.7b and 13b, Yi-34B,
//! DeepSeek-Coder 1.3b and Qwen1.5-MoE. Nobody but the paper was found for OPT 2.7b and 30b, Yi-6B,
//! DeepSeek-Coder 6.7b and 33b, and Phi-3-medium.

use super::design::{Activation, Biases, Norm, Positions, Window, WindowLayers};
use super::{Architecture, Design, Experts, ModelShape};

struct Row {
    name: &'static str,
    /// The paper, and the `config.json` where the paper leaves a number out.
    source: &'static str,
    design: Design,
    layers: usize,
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    ffn: usize,
    vocabulary: usize,
    tied: bool,
    experts: Option<Experts>,
    /// Parameters of the published checkpoint.
    published: u64,
}

/// Sizes: layers, hidden, heads, kv_heads, ffn, vocabulary. Heads have hidden / heads entries and
/// the LM head is a table of its own, unless [`Row::heads_of`] and [`Row::tied`] say otherwise.
const fn row(
    name: &'static str,
    source: &'static str,
    design: Design,
    [layers, hidden, heads, kv_heads, ffn, vocabulary]: [usize; 6],
    published: u64,
) -> Row {
    Row {
        name,
        source,
        design,
        layers,
        hidden,
        heads,
        kv_heads,
        head_dim: hidden / heads,
        ffn,
        vocabulary,
        tied: false,
        experts: None,
        published,
    }
}

impl Row {
    const fn tied(self) -> Self {
        Self { tied: true, ..self }
    }

    const fn heads_of(self, head_dim: usize) -> Self {
        Self { head_dim, ..self }
    }

    const fn experts(self, count: usize, active: usize) -> Self {
        Self {
            experts: Some(Experts { count, active }),
            ..self
        }
    }
}

const LLAMA: Design = Design::LLAMA;

/// A window of so many positions in every layer.
const fn windowed(size: usize) -> Design {
    Design {
        window: Some(Window {
            size,
            layers: WindowLayers::All,
        }),
        ..LLAMA
    }
}

const QWEN2: Design = Design {
    biases: Biases {
        queries_keys_values: true,
        attention_output: false,
        feed_forward: false,
    },
    ..LLAMA
};

const QWEN3: Design = Design {
    head_norms: true,
    ..LLAMA
};

const QWEN_MOE: Design = Design {
    shared_expert: Some(5632),
    sums_to_one: false,
    ..QWEN2
};

const GEMMA2: Design = Design {
    norms_after: true,
    activation: Activation::GeluTanh,
    score_cap: Some(50.0),
    logit_cap: Some(30.0),
    window: Some(Window {
        size: 4096,
        layers: WindowLayers::EverySecond,
    }),
    ..LLAMA
};

const OPT: Design = Design {
    norm: Norm::Layer,
    activation: Activation::Relu,
    gated: false,
    positions: Positions::Learned {
        positions: 2048,
        before: 2,
    },
    biases: Biases {
        queries_keys_values: true,
        attention_output: true,
        feed_forward: true,
    },
    ..LLAMA
};

const LLAMA_2: &str = "Touvron et al. 2023, arXiv:2307.09288";
const LLAMA_3: &str = "Dubey et al. 2024, arXiv:2407.21783, table 3";
const LLAMA_3_2: &str = "Llama 3.2 model card and config.json, 2024";
const TINY_LLAMA: &str = "Zhang et al. 2024, arXiv:2401.02385, table 1; config.json";
const DEEPSEEK: &str = "Guo et al. 2024, arXiv:2401.14196, table 2; config.json";
const YI: &str = "01.AI 2024, arXiv:2403.04652, table 1; config.json";
const MISTRAL: &str = "Jiang et al. 2023, arXiv:2310.06825, table 1 (v0.1)";
const MIXTRAL: &str = "Jiang et al. 2024, arXiv:2401.04088, table 1";
const MIXTRAL_22: &str = "Mixtral 8x22B v0.1, config.json, 2024";
const GEMMA_2: &str = "Gemma Team 2024, arXiv:2408.00118, table 1";
const QWEN_2_5: &str = "Yang et al. 2024, arXiv:2412.15115, table 1; config.json";
const QWEN_3: &str = "Yang et al. 2025, arXiv:2505.09388, tables 1 and 2; config.json";
const QWEN_1_5_MOE: &str = "Qwen1.5-MoE-A2.7B, config.json, 2024";
const PHI_3: &str = "Abdin et al. 2024, arXiv:2404.14219, section 2; config.json (4k)";
const PHI_4: &str = "Abdin et al. 2024, arXiv:2412.08905, section 3; config.json";
const OPT_PAPER: &str = "Zhang et al. 2022, arXiv:2205.01068, table 1; config.json";

#[rustfmt::skip]
const TABLE: [Row; 45] = [
    row("llama-2-7b", LLAMA_2, LLAMA, [32, 4096, 32, 32, 11008, 32000], 6_738_415_616),
    row("llama-2-13b", LLAMA_2, LLAMA, [40, 5120, 40, 40, 13824, 32000], 13_015_864_320),
    row("llama-2-70b", LLAMA_2, LLAMA, [80, 8192, 64, 8, 28672, 32000], 68_976_648_192),
    row("llama-3-8b", LLAMA_3, LLAMA, [32, 4096, 32, 8, 14336, 128_256], 8_030_261_248),
    row("llama-3-70b", LLAMA_3, LLAMA, [80, 8192, 64, 8, 28672, 128_256], 70_553_706_496),
    row("mixtral-8x7b", MIXTRAL, LLAMA, [32, 4096, 32, 8, 14336, 32000], 46_702_792_704).experts(8, 2),
    row("llama-3.1-405b", LLAMA_3, LLAMA, [126, 16384, 128, 8, 53248, 128_256], 405_853_388_800),
    row("llama-3.2-1b", LLAMA_3_2, LLAMA, [16, 2048, 32, 8, 8192, 128_256], 1_235_814_400).tied(),
    row("llama-3.2-3b", LLAMA_3_2, LLAMA, [28, 3072, 24, 8, 8192, 128_256], 3_212_749_824).tied(),
    row("tinyllama-1.1b", TINY_LLAMA, LLAMA, [22, 2048, 32, 4, 5632, 32000], 1_100_048_384),
    row("deepseek-coder-1.3b", DEEPSEEK, LLAMA, [24, 2048, 16, 16, 5504, 32256], 1_346_471_936),
    row("deepseek-coder-6.7b", DEEPSEEK, LLAMA, [32, 4096, 32, 32, 11008, 32256], 6_740_512_768),
    row("deepseek-coder-33b", DEEPSEEK, LLAMA, [62, 7168, 56, 8, 19200, 32256], 33_342_991_360),
    row("yi-6b", YI, LLAMA, [32, 4096, 32, 4, 11008, 64000], 6_061_035_520),
    row("yi-34b", YI, LLAMA, [60, 7168, 56, 8, 20480, 64000], 34_388_917_248),
    row("mistral-7b", MISTRAL, windowed(4096), [32, 4096, 32, 8, 14336, 32000], 7_241_732_096),
    row("mixtral-8x22b", MIXTRAL_22, LLAMA, [56, 6144, 48, 8, 16384, 32000], 140_620_634_112).experts(8, 2),
    row("gemma-2-2b", GEMMA_2, GEMMA2, [26, 2304, 8, 4, 9216, 256_000], 2_614_341_888).heads_of(256).tied(),
    row("gemma-2-9b", GEMMA_2, GEMMA2, [42, 3584, 16, 8, 14336, 256_000], 9_241_705_984).heads_of(256).tied(),
    row("gemma-2-27b", GEMMA_2, GEMMA2, [46, 4608, 32, 16, 36864, 256_000], 27_227_128_320).heads_of(128).tied(),
    row("qwen2.5-0.5b", QWEN_2_5, QWEN2, [24, 896, 14, 2, 4864, 151_936], 494_032_768).tied(),
    row("qwen2.5-1.5b", QWEN_2_5, QWEN2, [28, 1536, 12, 2, 8960, 151_936], 1_543_714_304).tied(),
    row("qwen2.5-3b", QWEN_2_5, QWEN2, [36, 2048, 16, 2, 11008, 151_936], 3_085_938_688).tied(),
    row("qwen2.5-7b", QWEN_2_5, QWEN2, [28, 3584, 28, 4, 18944, 152_064], 7_615_616_512),
    row("qwen2.5-14b", QWEN_2_5, QWEN2, [48, 5120, 40, 8, 13824, 152_064], 14_770_033_664),
    row("qwen2.5-32b", QWEN_2_5, QWEN2, [64, 5120, 40, 8, 27648, 152_064], 32_763_876_352),
    row("qwen2.5-72b", QWEN_2_5, QWEN2, [80, 8192, 64, 8, 29568, 152_064], 72_706_203_648),
    row("qwen3-0.6b", QWEN_3, QWEN3, [28, 1024, 16, 8, 3072, 151_936], 596_049_920).heads_of(128).tied(),
    row("qwen3-1.7b", QWEN_3, QWEN3, [28, 2048, 16, 8, 6144, 151_936], 1_720_574_976).tied(),
    row("qwen3-4b", QWEN_3, QWEN3, [36, 2560, 32, 8, 9728, 151_936], 4_022_468_096).heads_of(128).tied(),
    row("qwen3-8b", QWEN_3, QWEN3, [36, 4096, 32, 8, 12288, 151_936], 8_190_735_360),
    row("qwen3-14b", QWEN_3, QWEN3, [40, 5120, 40, 8, 17408, 151_936], 14_768_307_200),
    row("qwen3-32b", QWEN_3, QWEN3, [64, 5120, 64, 8, 25600, 151_936], 32_762_123_264).heads_of(128),
    row("qwen1.5-moe-a2.7b", QWEN_1_5_MOE, QWEN_MOE, [24, 2048, 16, 16, 1408, 151_936], 14_315_784_192).experts(60, 4),
    row("qwen3-30b-a3b", QWEN_3, QWEN3, [48, 2048, 32, 4, 768, 151_936], 30_532_122_624).heads_of(128).experts(128, 8),
    row("qwen3-235b-a22b", QWEN_3, QWEN3, [94, 4096, 64, 4, 1536, 151_936], 235_093_634_560).heads_of(128).experts(128, 8),
    row("phi-3-mini", PHI_3, windowed(2047), [32, 3072, 32, 32, 8192, 32064], 3_821_079_552),
    row("phi-3-medium", PHI_3, windowed(2047), [40, 5120, 40, 10, 17920, 32064], 13_960_238_080),
    row("phi-4", PHI_4, LLAMA, [40, 5120, 40, 10, 17920, 100_352], 14_659_507_200),
    row("opt-125m", OPT_PAPER, OPT, [12, 768, 12, 12, 3072, 50272], 125_239_296).tied(),
    row("opt-1.3b", OPT_PAPER, OPT, [24, 2048, 32, 32, 8192, 50272], 1_315_758_080).tied(),
    row("opt-2.7b", OPT_PAPER, OPT, [32, 2560, 32, 32, 10240, 50272], 2_651_596_800).tied(),
    row("opt-6.7b", OPT_PAPER, OPT, [32, 4096, 32, 32, 16384, 50272], 6_658_473_984).tied(),
    row("opt-13b", OPT_PAPER, OPT, [40, 5120, 40, 40, 20480, 50272], 12_853_473_280).tied(),
    row("opt-30b", OPT_PAPER, OPT, [48, 7168, 56, 56, 28672, 50272], 29_974_540_288).tied(),
];

impl ModelShape {
    /// The shape of a published model, in 16-bit precision, or `None` for a
    /// name that [`ModelShape::names`] does not list.
    pub fn named(name: &str) -> Option<Self> {
        let row = TABLE.iter().find(|row| row.name == name)?;
        Some(Self {
            name: row.name.to_owned(),
            architecture: match row.experts {
                None => Architecture::Llama,
                Some(_) => Architecture::Mixtral,
            },
            design: row.design,
            layers: row.layers,
            hidden: row.hidden,
            heads: row.heads,
            kv_heads: row.kv_heads,
            head_dim: row.head_dim,
            ffn: row.ffn,
            vocabulary: row.vocabulary,
            tied_embeddings: row.tied,
            experts: row.experts,
            weight_bits: 16.0,
            cache_bits: 16.0,
            activation_bits: 16.0,
        })
    }

    /// The names that [`ModelShape::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }

    /// The names that [`ModelShape::named`] knows, each with the parameters of the published
    /// checkpoint and the source of its numbers.
    pub fn published() -> impl Iterator<Item = (&'static str, u64, &'static str)> {
        TABLE
            .iter()
            .map(|row| (row.name, row.published, row.source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_models_have_their_published_parameter_counts() {
        for row in &TABLE {
            let shape = ModelShape::named(row.name).expect("listed");
            assert_eq!(shape.validate(), Ok(()), "{}", row.name);
            assert_eq!(shape.parameters(), row.published, "{}", row.name);
        }
    }

    /// What the names say: the parameters in billions or millions, rounded.
    #[test]
    fn names_agree_with_what_they_promise() {
        for row in &TABLE {
            let size = row.name.rsplit('-').find_map(|part| {
                let (number, unit) = part.split_at(part.len().checked_sub(1)?);
                let scale = match unit {
                    "b" => 1e9,
                    "m" => 1e6,
                    _ => return None,
                };
                Some(number.parse::<f64>().ok()? * scale)
            });
            let Some(size) = size else { continue };
            // Llama 3.2 and Gemma 2 count without some tables, Qwen and OPT round.
            let ratio = row.published as f64 / size;
            assert!((0.85..1.32).contains(&ratio), "{}: {ratio}", row.name);
        }
    }

    #[test]
    fn names_are_given_once() {
        let mut names: Vec<_> = ModelShape::names().collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(count >= 36, "{count}");
        assert!(ModelShape::published().all(|(_, _, source)| source.contains("20")));
    }

    #[test]
    fn an_unknown_name_has_no_shape() {
        assert_eq!(ModelShape::named("llama-9"), None);
    }
}
