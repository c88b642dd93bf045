//! The stages of a tensor-parallel pass, in the order in which they happen: the
//! `stage` column of `events.csv`.

/// One of the two sharded halves of a transformer layer, each ended by an
/// all-reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// Self-attention, sharded by heads.
    Attention,
    /// The feed-forward network, sharded by columns.
    Mlp,
}

impl Half {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Mlp => "mlp",
        }
    }
}

macro_rules! stages {
    ($($name:ident $text:literal),* $(,)?) => {
        /// What part of a pass a task is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub(super) enum Stage { $($name),* }

        /// The stages' names, by their number in a task's key.
        pub const STAGE_NAMES: &[&str] = &[$($text),*];

        impl Stage {
            const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

stages! {
    Arrival "arrival",
    Embed "embed",
    EmbedSend "embed_send",
    EmbedReceive "embed_receive",
    Attention "attention",
    AttentionGather "attention_gather",
    AttentionUplink "attention_uplink",
    AttentionReduced "attention_reduced",
    AttentionSend "attention_send",
    AttentionReceive "attention_receive",
    Mlp "mlp",
    MlpGather "mlp_gather",
    MlpUplink "mlp_uplink",
    MlpReduced "mlp_reduced",
    MlpSend "mlp_send",
    MlpReceive "mlp_receive",
    LmHead "lm_head",
    LmHeadGather "lm_head_gather",
    Sample "sample",
}

impl Stage {
    pub(super) fn of(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    pub(super) fn name(self) -> &'static str {
        STAGE_NAMES[usize::from(self.code())]
    }

    pub(super) fn code(self) -> u16 {
        self as u16
    }
}

/// The stages around one all-reduce.
#[derive(Debug, Clone, Copy)]
pub(super) struct HalfStages {
    pub(super) compute: Stage,
    pub(super) gather: Stage,
    pub(super) uplink: Stage,
    pub(super) reduced: Stage,
    pub(super) send: Stage,
    pub(super) receive: Stage,
}

impl Half {
    pub(super) fn stages(self) -> HalfStages {
        match self {
            Self::Attention => HalfStages {
                compute: Stage::Attention,
                gather: Stage::AttentionGather,
                uplink: Stage::AttentionUplink,
                reduced: Stage::AttentionReduced,
                send: Stage::AttentionSend,
                receive: Stage::AttentionReceive,
            },
            Self::Mlp => HalfStages {
                compute: Stage::Mlp,
                gather: Stage::MlpGather,
                uplink: Stage::MlpUplink,
                reduced: Stage::MlpReduced,
                send: Stage::MlpSend,
                receive: Stage::MlpReceive,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_survives_its_number() {
        for (code, name) in STAGE_NAMES.iter().enumerate() {
            let stage = Stage::of(code as u16).unwrap();
            assert_eq!(usize::from(stage.code()), code, "{name}");
        }
        assert!(Stage::of(STAGE_NAMES.len() as u16).is_none());
    }
}
