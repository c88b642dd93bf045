//! The stages of a pass, in the order in which they happen: the `stage` column of `events.csv`.

pub(super) use crate::numerics::Sublayer;

use crate::engine::TaskKey;

macro_rules! stages {
    ($($name:ident $text:literal),* $(,)?) => {
        /// What part of a pass a task is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    Window "window",
    Prompt "prompt",
    PromptDownlink "prompt_downlink",
    PromptDelay "prompt_delay",
    CacheMove "cache_move",
    CacheMoveDownlink "cache_move_downlink",
    CacheMoveDelay "cache_move_delay",
    CacheSwap "cache_swap",
    CacheSwapDownlink "cache_swap_downlink",
    CacheSwapDelay "cache_swap_delay",
    TokenReturn "token_return",
    TokenReturnDownlink "token_return_downlink",
    TokenReturnDelay "token_return_delay",
    Embed "embed",
    EmbedSend "embed_send",
    EmbedReceive "embed_receive",
    Cut "cut",
    CutDownlink "cut_downlink",
    CutDelay "cut_delay",
    CutSend "cut_send",
    CutReceive "cut_receive",
    Attention "attention",
    AttentionGather "attention_gather",
    AttentionUplink "attention_uplink",
    AttentionReduced "attention_reduced",
    AttentionSend "attention_send",
    AttentionReceive "attention_receive",
    Gate "attention_and_gate",
    TokenDownlink "token_downlink",
    Expert "expert",
    TokenUplink "token_uplink",
    ExpertGather "expert_gather",
    Mlp "mlp",
    MlpGather "mlp_gather",
    MlpUplink "mlp_uplink",
    MlpReduced "mlp_reduced",
    MlpSend "mlp_send",
    MlpReceive "mlp_receive",
    LmHead "lm_head",
    LmHeadGather "lm_head_gather",
    Sample "sample",
    TokenDelivery "token_delivery",
    TokenDeliveryDownlink "token_delivery_downlink",
    TokenDeliveryDelay "token_delivery_delay",
}

/// Messages from node to node: as they are called on an uplink or a wire, on a downlink, and while
/// they are under way on a wire.
const MESSAGES: [[Stage; 3]; 6] = [
    [Stage::Prompt, Stage::PromptDownlink, Stage::PromptDelay],
    [
        Stage::CacheMove,
        Stage::CacheMoveDownlink,
        Stage::CacheMoveDelay,
    ],
    [
        Stage::CacheSwap,
        Stage::CacheSwapDownlink,
        Stage::CacheSwapDelay,
    ],
    [
        Stage::TokenReturn,
        Stage::TokenReturnDownlink,
        Stage::TokenReturnDelay,
    ],
    [Stage::Cut, Stage::CutDownlink, Stage::CutDelay],
    [
        Stage::TokenDelivery,
        Stage::TokenDeliveryDownlink,
        Stage::TokenDeliveryDelay,
    ],
];

impl Stage {
    pub(super) fn of(code: u16) -> Self {
        let known = Self::ALL.get(usize::from(code)).copied();
        known.expect("only stages of this list are emitted")
    }

    pub(super) fn name(self) -> &'static str {
        STAGE_NAMES[usize::from(self.code())]
    }

    pub(super) fn code(self) -> u16 {
        self as u16
    }

    /// The message whose part it is.
    fn message(self) -> Option<&'static [Self; 3]> {
        MESSAGES.iter().find(|parts| parts.contains(&self))
    }

    /// Whether it is a message from node to node.
    pub(super) fn is_message(self) -> bool {
        self.message().is_some()
    }

    /// Whether it is a message that belongs to a request and not to a batch.
    pub(super) fn is_letter(self) -> bool {
        matches!(
            self.whole(),
            Self::Prompt | Self::TokenDelivery | Self::CacheMove | Self::CacheSwap
        )
    }

    /// Of a part of a message, the message.
    pub(super) fn whole(self) -> Self {
        self.message().map_or(self, |parts| parts[0])
    }

    /// Whether it is a message on a downlink.
    pub(super) fn is_downlink(self) -> bool {
        self.message().is_some_and(|parts| parts[1] == self)
    }

    /// Whether a message is under way on a wire, which carries the next one meanwhile.
    pub(super) fn is_delay(self) -> bool {
        self.message().is_some_and(|parts| parts[2] == self)
    }

    /// What a message is called on a downlink.
    pub(super) fn downlink(self) -> Self {
        self.message().map_or(self, |parts| parts[1])
    }

    /// What a message is called while it is under way on a wire.
    pub(super) fn delay(self) -> Self {
        self.message().map_or(self, |parts| parts[2])
    }

    /// The key of a task of no batch, layer or node.
    pub(super) fn outside(self) -> TaskKey {
        TaskKey {
            batch: TaskKey::NO_BATCH,
            layer: TaskKey::NO_LAYER,
            stage: self.code(),
            node: TaskKey::NO_NODE,
            peer: TaskKey::NO_PEER,
            sequence: 0,
        }
    }
}

/// The stages around one all-reduce.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) compute: Stage,
    pub(super) gather: Stage,
    pub(super) uplink: Stage,
    pub(super) reduced: Stage,
    pub(super) send: Stage,
    pub(super) receive: Stage,
}

impl Sublayer {
    pub(super) fn stages(self) -> Around {
        match self {
            Self::Attention => Around {
                compute: Stage::Attention,
                gather: Stage::AttentionGather,
                uplink: Stage::AttentionUplink,
                reduced: Stage::AttentionReduced,
                send: Stage::AttentionSend,
                receive: Stage::AttentionReceive,
            },
            Self::Mlp => Around {
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
            let stage = Stage::of(code as u16);
            assert_eq!((usize::from(stage.code()), stage.name()), (code, *name));
        }
    }
}
