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
    PromptSendCost "prompt_send_cost",
    PromptReceiveCost "prompt_receive_cost",
    CacheMove "cache_move",
    CacheMoveDownlink "cache_move_downlink",
    CacheMoveDelay "cache_move_delay",
    CacheMoveSendCost "cache_move_send_cost",
    CacheMoveReceiveCost "cache_move_receive_cost",
    CacheSwap "cache_swap",
    CacheSwapDownlink "cache_swap_downlink",
    CacheSwapDelay "cache_swap_delay",
    CacheSwapSendCost "cache_swap_send_cost",
    CacheSwapReceiveCost "cache_swap_receive_cost",
    TokenReturn "token_return",
    TokenReturnDownlink "token_return_downlink",
    TokenReturnDelay "token_return_delay",
    TokenReturnSendCost "token_return_send_cost",
    TokenReturnReceiveCost "token_return_receive_cost",
    Embed "embed",
    EmbedSend "embed_send",
    EmbedReceive "embed_receive",
    EmbedShare "embed_share",
    EmbedShareDownlink "embed_share_downlink",
    EmbedShareDelay "embed_share_delay",
    EmbedShareSendCost "embed_share_send_cost",
    EmbedShareReceiveCost "embed_share_receive_cost",
    Cut "cut",
    CutDownlink "cut_downlink",
    CutDelay "cut_delay",
    CutSendCost "cut_send_cost",
    CutReceiveCost "cut_receive_cost",
    CutSend "cut_send",
    CutReceive "cut_receive",
    CutShare "cut_share",
    CutShareDownlink "cut_share_downlink",
    CutShareDelay "cut_share_delay",
    CutShareSendCost "cut_share_send_cost",
    CutShareReceiveCost "cut_share_receive_cost",
    Attention "attention",
    AttentionGather "attention_gather",
    AttentionUplink "attention_uplink",
    AttentionCluster "attention_cluster",
    AttentionPart "attention_part",
    AttentionPartDownlink "attention_part_downlink",
    AttentionPartDelay "attention_part_delay",
    AttentionPartSendCost "attention_part_send_cost",
    AttentionPartReceiveCost "attention_part_receive_cost",
    AttentionMet "attention_met",
    AttentionReduced "attention_reduced",
    AttentionSend "attention_send",
    AttentionReceive "attention_receive",
    AttentionSum "attention_sum",
    AttentionSumDownlink "attention_sum_downlink",
    AttentionSumDelay "attention_sum_delay",
    AttentionSumSendCost "attention_sum_send_cost",
    AttentionSumReceiveCost "attention_sum_receive_cost",
    Gate "attention_and_gate",
    TokenDownlink "token_downlink",
    Expert "expert",
    TokenUplink "token_uplink",
    ExpertGather "expert_gather",
    Mlp "mlp",
    MlpGather "mlp_gather",
    MlpUplink "mlp_uplink",
    MlpCluster "mlp_cluster",
    MlpPart "mlp_part",
    MlpPartDownlink "mlp_part_downlink",
    MlpPartDelay "mlp_part_delay",
    MlpPartSendCost "mlp_part_send_cost",
    MlpPartReceiveCost "mlp_part_receive_cost",
    MlpMet "mlp_met",
    MlpReduced "mlp_reduced",
    MlpSend "mlp_send",
    MlpReceive "mlp_receive",
    MlpSum "mlp_sum",
    MlpSumDownlink "mlp_sum_downlink",
    MlpSumDelay "mlp_sum_delay",
    MlpSumSendCost "mlp_sum_send_cost",
    MlpSumReceiveCost "mlp_sum_receive_cost",
    ExitHead "exit_head",
    ExitAnswered "exit_answered",
    LmHead "lm_head",
    LmHeadGather "lm_head_gather",
    Sample "sample",
    TokenDelivery "token_delivery",
    TokenDeliveryDownlink "token_delivery_downlink",
    TokenDeliveryDelay "token_delivery_delay",
    TokenDeliverySendCost "token_delivery_send_cost",
    TokenDeliveryReceiveCost "token_delivery_receive_cost",
    DraftPrompt "draft_prompt",
    DraftPromptDownlink "draft_prompt_downlink",
    DraftPromptDelay "draft_prompt_delay",
    DraftPromptSendCost "draft_prompt_send_cost",
    DraftPromptReceiveCost "draft_prompt_receive_cost",
    Draft "draft",
    DraftDownlink "draft_downlink",
    DraftDelay "draft_delay",
    DraftSendCost "draft_send_cost",
    DraftReceiveCost "draft_receive_cost",
    Verdict "verdict",
    VerdictDownlink "verdict_downlink",
    VerdictDelay "verdict_delay",
    VerdictSendCost "verdict_send_cost",
    VerdictReceiveCost "verdict_receive_cost",
}

/// Messages from node to node: as they are called on an uplink or a wire, on a downlink, while they
/// are under way on a wire, and where their two ends hand them over and take them.
const MESSAGES: [[Stage; 5]; 15] = [
    [
        Stage::Prompt,
        Stage::PromptDownlink,
        Stage::PromptDelay,
        Stage::PromptSendCost,
        Stage::PromptReceiveCost,
    ],
    [
        Stage::CacheMove,
        Stage::CacheMoveDownlink,
        Stage::CacheMoveDelay,
        Stage::CacheMoveSendCost,
        Stage::CacheMoveReceiveCost,
    ],
    [
        Stage::CacheSwap,
        Stage::CacheSwapDownlink,
        Stage::CacheSwapDelay,
        Stage::CacheSwapSendCost,
        Stage::CacheSwapReceiveCost,
    ],
    [
        Stage::TokenReturn,
        Stage::TokenReturnDownlink,
        Stage::TokenReturnDelay,
        Stage::TokenReturnSendCost,
        Stage::TokenReturnReceiveCost,
    ],
    [
        Stage::Cut,
        Stage::CutDownlink,
        Stage::CutDelay,
        Stage::CutSendCost,
        Stage::CutReceiveCost,
    ],
    [
        Stage::TokenDelivery,
        Stage::TokenDeliveryDownlink,
        Stage::TokenDeliveryDelay,
        Stage::TokenDeliverySendCost,
        Stage::TokenDeliveryReceiveCost,
    ],
    [
        Stage::EmbedShare,
        Stage::EmbedShareDownlink,
        Stage::EmbedShareDelay,
        Stage::EmbedShareSendCost,
        Stage::EmbedShareReceiveCost,
    ],
    [
        Stage::CutShare,
        Stage::CutShareDownlink,
        Stage::CutShareDelay,
        Stage::CutShareSendCost,
        Stage::CutShareReceiveCost,
    ],
    [
        Stage::AttentionPart,
        Stage::AttentionPartDownlink,
        Stage::AttentionPartDelay,
        Stage::AttentionPartSendCost,
        Stage::AttentionPartReceiveCost,
    ],
    [
        Stage::AttentionSum,
        Stage::AttentionSumDownlink,
        Stage::AttentionSumDelay,
        Stage::AttentionSumSendCost,
        Stage::AttentionSumReceiveCost,
    ],
    [
        Stage::MlpPart,
        Stage::MlpPartDownlink,
        Stage::MlpPartDelay,
        Stage::MlpPartSendCost,
        Stage::MlpPartReceiveCost,
    ],
    [
        Stage::MlpSum,
        Stage::MlpSumDownlink,
        Stage::MlpSumDelay,
        Stage::MlpSumSendCost,
        Stage::MlpSumReceiveCost,
    ],
    [
        Stage::DraftPrompt,
        Stage::DraftPromptDownlink,
        Stage::DraftPromptDelay,
        Stage::DraftPromptSendCost,
        Stage::DraftPromptReceiveCost,
    ],
    [
        Stage::Draft,
        Stage::DraftDownlink,
        Stage::DraftDelay,
        Stage::DraftSendCost,
        Stage::DraftReceiveCost,
    ],
    [
        Stage::Verdict,
        Stage::VerdictDownlink,
        Stage::VerdictDelay,
        Stage::VerdictSendCost,
        Stage::VerdictReceiveCost,
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
    fn message(self) -> Option<&'static [Self; 5]> {
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
            Self::Prompt
                | Self::TokenDelivery
                | Self::CacheMove
                | Self::CacheSwap
                | Self::DraftPrompt
                | Self::Draft
                | Self::Verdict
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

    /// Whether a receiver takes a message, or goes on after several.
    pub(super) fn is_receive_cost(self) -> bool {
        let met = matches!(self, Self::AttentionMet | Self::MlpMet);
        met || self.message().is_some_and(|parts| parts[4] == self)
    }

    /// Whether a sender hands a message over.
    pub(super) fn is_send_cost(self) -> bool {
        self.message().is_some_and(|parts| parts[3] == self)
    }

    /// Whether it is a message of an all-reduce, or of a state to all members.
    pub(super) fn is_exchange(self) -> bool {
        matches!(
            self.whole(),
            Self::EmbedShare
                | Self::CutShare
                | Self::AttentionPart
                | Self::AttentionSum
                | Self::MlpPart
                | Self::MlpSum
        )
    }

    /// What handing a message over is called.
    pub(super) fn send_cost(self) -> Self {
        self.message().map_or(self, |parts| parts[3])
    }

    /// What taking a message is called.
    pub(super) fn receive_cost(self) -> Self {
        self.message().map_or(self, |parts| parts[4])
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
    /// Heads have the sums of their clusters.
    pub(super) cluster: Stage,
    pub(super) reduced: Stage,
    pub(super) send: Stage,
    pub(super) receive: Stage,
    /// Where messages sum: a part on its way, those who wait for parts going on, a sum on its way.
    pub(super) part: Stage,
    pub(super) met: Stage,
    pub(super) sum: Stage,
}

impl Sublayer {
    pub(super) fn stages(self) -> Around {
        match self {
            Self::Attention => Around {
                compute: Stage::Attention,
                gather: Stage::AttentionGather,
                uplink: Stage::AttentionUplink,
                cluster: Stage::AttentionCluster,
                reduced: Stage::AttentionReduced,
                send: Stage::AttentionSend,
                receive: Stage::AttentionReceive,
                part: Stage::AttentionPart,
                met: Stage::AttentionMet,
                sum: Stage::AttentionSum,
            },
            Self::Mlp => Around {
                compute: Stage::Mlp,
                gather: Stage::MlpGather,
                uplink: Stage::MlpUplink,
                cluster: Stage::MlpCluster,
                reduced: Stage::MlpReduced,
                send: Stage::MlpSend,
                receive: Stage::MlpReceive,
                part: Stage::MlpPart,
                met: Stage::MlpMet,
                sum: Stage::MlpSum,
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
