//! The radio of a scenario: everything about the air that is not the scheme.

use super::all_reduce::Layout;
use super::budget::LinkBudget;
use super::coding::Coding;
use super::coherence::Coherence;
use super::convention::PowerConvention;
use super::csi::Csi;
use super::doppler::Doppler;
use super::downlink::Downlink;
use super::fading::Fading;
use super::sharing::Sharing;
use super::synchronisation::Synchronisation;
use crate::device::MessageCost;
use crate::units::{Decibels, FieldFault, Hertz, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Beyond it a dense channel matrix no longer fits a simulation of this kind.
const MAX_ANTENNAS: usize = 1024;

/// The radio's fields. Defaults are those of section IV of Zhang et al.,
/// "Distributed On-Device LLM Inference With Over-the-Air Computation", except that the
/// SNR is 20 dB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RadioConfig {
    /// The node at its centre, to and from which everything goes. Default: `server`.
    pub hub: Option<String>,
    /// The group of nodes around it, which other fields number from 0. Default: the only
    /// group with a count.
    pub members: Option<String>,
    /// How point-to-point transfers share the band. Default: one after another.
    pub sharing: Sharing,
    /// What a point-to-point transfer costs its two ends beside its time on the band. Default: nothing.
    pub messages: MessageCost,
    /// B, also the symbol rate. Default 10 MHz.
    pub bandwidth: Hertz,
    /// N_t, antennas of every device without an exception. Default 4.
    pub device_antennas: usize,
    /// N_t of devices that have more or fewer, by number from 0.
    pub device_antennas_except: BTreeMap<u32, usize>,
    /// N_r, antennas of the server. Default 20.
    pub server_antennas: usize,
    /// How channel entries are drawn. Default: Rician, mean 1, variance 1.
    pub fading: Fading,
    /// How long a draw lasts. Default: one all-reduce.
    pub coherence: Coherence,
    /// How draws of different blocks are correlated in time. Default: not at all.
    pub doppler: Doppler,
    /// Power and noise. Default: normalised, 20 dB.
    pub budget: LinkBudget,
    /// What P_n limits. Default: power per channel use.
    pub convention: PowerConvention,
    /// 10 log₁₀(P_n/P) of devices that have more or less than the common P, by number
    /// from 0.
    pub budget_offsets: BTreeMap<u32, Decibels>,
    /// What coding and modulation make of the capacity of digital links. Default: all of it
    /// arrives.
    pub coding: Coding,
    /// What is known of the channels, and what that costs. Default: all, for nothing.
    pub csi: Csi,
    /// How far devices are out of step. Default: not at all.
    pub synchronisation: Synchronisation,
    /// How the sum returns. Default: ideal.
    pub downlink: Downlink,
    /// Added to every all-reduce's time on the air: synchronisation and the control slot
    /// on which devices agree on a scale. Default 0 s, as papers assume.
    pub round_overhead: Seconds,
    /// Whether a single device sends its tensors through the air to the server, which
    /// then has nothing to add. Default no.
    pub lone_device_transmits: bool,
}

impl Default for RadioConfig {
    fn default() -> Self {
        Self {
            hub: None,
            members: None,
            sharing: Sharing::default(),
            messages: MessageCost::default(),
            bandwidth: Hertz(10e6),
            device_antennas: 4,
            device_antennas_except: BTreeMap::new(),
            server_antennas: 20,
            fading: Fading::default(),
            coherence: Coherence::default(),
            doppler: Doppler::default(),
            budget: LinkBudget::default(),
            convention: PowerConvention::default(),
            budget_offsets: BTreeMap::new(),
            coding: Coding::default(),
            csi: Csi::default(),
            synchronisation: Synchronisation::default(),
            downlink: Downlink::default(),
            round_overhead: Seconds(0.0),
            lone_device_transmits: false,
        }
    }
}

impl RadioConfig {
    /// The hub where the scenario names none.
    pub const DEFAULT_HUB: &str = "server";

    /// The name of the node at its centre.
    pub fn hub(&self) -> &str {
        self.hub.as_deref().unwrap_or(Self::DEFAULT_HUB)
    }

    /// Checks every field for a fleet of `devices`.
    ///
    /// # Errors
    /// The first impossible one, by its path within the radio.
    pub fn validate(&self, devices: usize) -> Result<(), FieldFault> {
        FieldFault::unless_positive("bandwidth", self.bandwidth.0)?;
        check_antennas("device_antennas", self.device_antennas)?;
        check_antennas("server_antennas", self.server_antennas)?;
        for (device, antennas) in &self.device_antennas_except {
            let path = format!("device_antennas_except[{device}]");
            if *device as usize >= devices {
                return Err(FieldFault::new(
                    path,
                    format!(
                        "there is no device {device} among {devices}, which are counted from 0"
                    ),
                ));
            }
            check_antennas(&path, *antennas)?;
        }
        self.fading
            .validate(devices)
            .map_err(|fault| fault.under("fading"))?;
        self.coherence
            .validate()
            .map_err(|fault| fault.under("coherence"))?;
        self.doppler
            .validate()
            .map_err(|fault| fault.under("doppler"))?;
        self.check_doppler()?;
        self.budget
            .validate()
            .map_err(|fault| fault.under("budget"))?;
        self.validate_budgets(devices)?;
        self.coding
            .validate()
            .map_err(|fault| fault.under("coding"))?;
        self.csi.validate().map_err(|fault| fault.under("csi"))?;
        self.synchronisation
            .validate()
            .map_err(|fault| fault.under("synchronisation"))?;
        self.downlink
            .validate()
            .map_err(|fault| fault.under("downlink"))?;
        self.messages
            .validate()
            .map_err(|fault| fault.under("messages"))?;
        FieldFault::if_negative("round_overhead", self.round_overhead.0)
    }

    /// Refuses a Doppler shift of channels that cannot follow it.
    fn check_doppler(&self) -> Result<(), FieldFault> {
        let fault = |message: &str| Err(FieldFault::new("doppler", message));
        if self.doppler != Doppler::Off && self.csi.doppler.0 > 0.0 {
            let message = "the radio's own doppler says how channels age; leave this out";
            return Err(FieldFault::new("csi.doppler", message));
        }
        if self.doppler == Doppler::Off {
            return Ok(());
        }
        if let Some(reason) = self.fading.model().refuses_doppler() {
            return fault(reason);
        }
        match self.coherence {
            Coherence::Static => fault(
                "channels change with time, but coherence is Static; use for example \
                 coherence: Time(\"1 ms\")",
            ),
            Coherence::PerAllReduce | Coherence::Time(_) => Ok(()),
        }
    }

    /// N_t of `device`.
    pub fn antennas(&self, device: usize) -> usize {
        let except = u32::try_from(device)
            .ok()
            .and_then(|n| self.device_antennas_except.get(&n));
        *except.unwrap_or(&self.device_antennas)
    }

    /// The N_t of that of `devices` which has most.
    pub fn most_antennas(&self, devices: usize) -> usize {
        let antennas = (0..devices).map(|device| self.antennas(device));
        antennas.max().unwrap_or(self.device_antennas)
    }

    /// The antenna layout of a fleet of `devices`.
    pub fn layout(&self, devices: usize) -> Layout {
        let fewest = (0..devices).min_by_key(|device| self.antennas(*device));
        let equal = (0..devices).all(|device| self.antennas(device) == self.antennas(0));
        Layout {
            devices,
            device_antennas: fewest.map_or(self.device_antennas, |device| self.antennas(device)),
            fewest_antennas: fewest.filter(|_| !equal),
            server_antennas: self.server_antennas,
            receiver: "the server",
        }
    }
}

fn check_antennas(path: &str, antennas: usize) -> Result<(), FieldFault> {
    if (1..=MAX_ANTENNAS).contains(&antennas) {
        return Ok(());
    }
    Err(FieldFault::new(
        path,
        format!("{antennas} antennas; use 1 to {MAX_ANTENNAS}"),
    ))
}
