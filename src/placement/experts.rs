//! The fields of a placement of experts.

use super::gate::Router;
use super::holders::Holders;
use crate::policy::{Bandwidth, DroppedWeight, ExpertSelection, Horizon};
use crate::radio::{Downlink, LinkBudget, Payload, PowerConvention, RadioConfig};
use crate::units::{FieldFault, SpectralEfficiency, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The fields of [`Placement::Experts`](super::Placement::Experts): how a Mixtral's experts are
/// spread and served. Defaults are those of section V-A of
/// Xue et al., "WDMoE", with the bandwidth of its P3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Experts {
    /// The group whose nodes hold experts. Default: the members of the link.
    pub over: Option<String>,
    /// The node that does everything else: attention, gate, LM head. Default: the link's hub.
    pub at: Option<String>,
    /// The radio link that tokens cross. Default: the only one that joins `over` with `at`.
    pub link: Option<String>,
    /// Where the gate's weights come from. Default: the model.
    pub router: Router,
    /// Which device holds each expert. Default: expert e on device e mod U.
    pub experts: Holders,
    /// k, experts per token at most. Default: the model's own.
    pub experts_per_token: Option<usize>,
    /// Which experts a token visits. Default: the k heaviest.
    pub selection: ExpertSelection,
    /// What becomes of a dropped expert's weight. Default: the others share it.
    pub dropped_weight: DroppedWeight,
    /// How the band is divided. Default: per block, so that all devices return together.
    pub bandwidth: Bandwidth,
    /// ε, bits per entry of a token on the air. Default 16.
    pub bits: Payload,
    /// P_d, what the base station radiates to each device. Default 10 W. A device
    /// radiates P_u, the radio budget's `transmit_power`.
    pub server_power: Watts,
    /// What a device does at once. Default, None: one thing. All tokens come down, all are
    /// computed, all go up: q_k (t_d + t_c + t_u), (10).
    pub pipelining: Option<Pipelining>,
    /// How long experts compute on devices. Default: the roofline of the device's profile, as
    /// everywhere else.
    pub compute: ExpertCompute,
    /// What of the base station's work takes time. Default: nothing, as in the paper.
    pub server_compute: ServerCompute,
    /// What happens when a device that holds experts is cut off. Default: the run fails.
    pub on_outage: OnOutage,
    /// A link is cut off if, with the band divided evenly, it carries no more than this in
    /// its weaker direction. Default 0.001 bit/s/Hz, an SNR of −31.6 dB: a min–max division
    /// would starve everyone for the sake of a device below it.
    pub outage: SpectralEfficiency,
}

/// In what pieces a device receives, computes and sends at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Pipelining {
    /// Token by token: while one goes up the next is computed and the one after it comes
    /// down: t_d + t_c + t_u + (q_k − 1) max(t_d, t_c, t_u).
    Tokens,
}

/// How long experts compute on a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum ExpertCompute {
    /// As the device's profile says: its FLOPs or its bytes, whichever take longer, plus its
    /// overhead; or by its measured rate. An expert's weights are read once for all tokens of
    /// a visit, and for each of them where tokens are pipelined. Policies reckon with the mean
    /// per token.
    #[default]
    Roofline,
    /// q_k L_comp/C_k with C_k = peak × efficiency, (7): memory bandwidth, overhead and a
    /// measured rate take no time, though bytes still take energy.
    Flops,
}

/// Whether the base station takes time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum ServerCompute {
    /// No: "negligible compared to the communications time" (section II-B).
    #[default]
    Negligible,
    /// Attention, gate, its own experts and the LM head, by the server's profile.
    Timed,
}

/// What to do about a link without rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum OnOutage {
    /// End the run with an error.
    #[default]
    Fail,
    /// Go on without the device's experts.
    Drop,
}

impl Default for Experts {
    fn default() -> Self {
        Self {
            over: None,
            at: None,
            link: None,
            router: Router::default(),
            experts: Holders::default(),
            experts_per_token: None,
            selection: ExpertSelection::default(),
            dropped_weight: DroppedWeight::default(),
            bandwidth: Bandwidth::default(),
            bits: Payload::default(),
            server_power: Watts(10.0),
            pipelining: None,
            compute: ExpertCompute::default(),
            server_compute: ServerCompute::default(),
            on_outage: OnOutage::default(),
            outage: SpectralEfficiency(1e-3),
        }
    }
}

impl Experts {
    /// Everything wrong with the fields for a fleet of `devices`, a model that is
    /// `computed` or only timed, and a scenario in `folder`.
    pub fn validate(&self, devices: usize, computed: bool, folder: &Path) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let mut check = |result: Result<(), FieldFault>| faults.extend(result.err());
        check(
            self.router
                .validate(computed, folder)
                .map_err(|fault| fault.under("router")),
        );
        check(
            self.experts
                .validate(devices)
                .map_err(|fault| fault.under("experts")),
        );
        check(
            self.selection
                .policy()
                .validate()
                .map_err(|fault| fault.under("selection")),
        );
        check(self.bits.validate());
        check(FieldFault::unless_positive(
            "server_power",
            self.server_power.0,
        ));
        check(FieldFault::if_negative("outage", self.outage.0));
        if self.experts_per_token == Some(0) {
            check(Err(FieldFault::new(
                "experts_per_token",
                "a token visits 1 expert or more",
            )));
        }
        if computed && self.bandwidth.policy().horizon() == Horizon::Oracle {
            check(Err(FieldFault::new(
                "bandwidth",
                "nobody foresees what a computed router will choose; use loads: Previous, or a \
                 Synthetic or Trace router",
            )));
        }
        faults
    }

    /// Refuses a radio that experts cannot be reached through.
    ///
    /// # Errors
    /// The first field of the radio at fault.
    pub fn check_radio(&self, radio: &RadioConfig) -> Result<(), FieldFault> {
        let except = radio.device_antennas_except.iter();
        let except = except.map(|(n, count)| (format!("device_antennas_except[{n}]"), *count));
        let common = [
            ("device_antennas".to_owned(), radio.device_antennas),
            ("server_antennas".to_owned(), radio.server_antennas),
        ];
        for (path, antennas) in common.into_iter().chain(except) {
            if antennas != 1 {
                let message = format!(
                    "{antennas} antennas; the rates (2) and (3) are those of one antenna on \
                     either side: write 1"
                );
                return Err(FieldFault::new(path, message));
            }
        }
        if !matches!(radio.budget, LinkBudget::Physical { .. }) {
            return Err(FieldFault::new(
                "budget",
                "powers are in watts here: use Physical(transmit_power: \"200 mW\", \
                 noise_density: \"-174 dBm/Hz\", noise_figure: \"0 dB\")",
            ));
        }
        if radio.downlink != Downlink::Ideal {
            return Err(FieldFault::new(
                "downlink",
                "every device has a downlink of its own, of power `server_power` of the placement; \
                 leave this out",
            ));
        }
        if radio.convention != PowerConvention::PowerPerUse {
            return Err(FieldFault::new(
                "convention",
                "links radiate constant power: leave this out",
            ));
        }
        Ok(())
    }
}
