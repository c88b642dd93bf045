//! What is no fault but hardly meant: settings that change nothing, a budget that a path loss
//! drowns, and quantities with absurd prefixes.

use super::fault::Fault;
use super::fields::Fields;
use super::resolved::Resolved;
use super::schema::{Architecture, Scenario};
use crate::architecture::wdmoe::{OnOutage, Wdmoe};
use crate::policy::ExpertSelection;
use crate::radio::{Csi, Doppler, Fading, LinkBudget, Scheme, Synchronisation, path_loss_db};
use crate::units::{FieldFault, oddity};

/// Below this mean signal-to-noise ratio at an antenna, in dB, nothing useful arrives.
const DROWNED_DB: f64 = -20.0;

/// A remark about one field.
#[derive(Debug, Clone, PartialEq)]
struct Remark {
    /// The field, what is the matter, and what to do.
    fault: FieldFault,
    /// The other fields that decide about it: a sweep that varies one of them may have its
    /// reasons.
    decided_by: &'static [&'static str],
    /// Whether it matters only if the field is written.
    if_written: bool,
}

impl Resolved {
    /// What is no fault but hardly meant, with its place: settings without effect. What the
    /// sweep varies, or what decides about it, is left out.
    pub fn warnings(&self) -> Vec<Fault> {
        let axes = self.scenario.sweep.iter().flat_map(|sweep| &sweep.axes);
        let varied: Vec<String> = axes
            .flat_map(|axis| axis.members())
            .filter_map(|(_, axis)| Some(axis.path.as_ref()?.to_string()))
            .collect();
        let under = |path: &str, outer: &str| {
            let rest = path.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let meant = |remark: &Remark| {
            let path = remark.fault.path.as_str();
            varied.iter().any(|axis| {
                let mut deciding = remark.decided_by.iter();
                under(path, axis) || under(axis, path) || deciding.any(|path| under(path, axis))
            })
        };
        let remarks = remarks(&self.scenario).into_iter();
        let remarks = remarks.filter(|remark| !meant(remark));
        remarks
            .chain(self.odd_prefixes())
            .filter_map(|remark| self.remark(remark.fault, remark.if_written))
            .collect()
    }

    /// Quantities with a prefix that hardly can be meant, `40 mHz` of bandwidth. What a sweep
    /// varies has no field of its own here, and its unit alone says that it is a quantity.
    fn odd_prefixes(&self) -> Vec<Remark> {
        let mut fields = None;
        let mut remarks = Vec::new();
        for (path, text) in self.texts() {
            let Some(odd) = oddity(text) else { continue };
            let path = path.to_string();
            let of_a_sweep = path.starts_with("sweep.axes") && {
                let last = path.rsplit('.').next().unwrap_or_default();
                last == "from" || last == "to" || last.starts_with("values")
            };
            let fields = fields.get_or_insert_with(Fields::new);
            if of_a_sweep || fields.holds_quantity(&path, odd.unit) {
                remarks.push(Remark {
                    fault: FieldFault::new(path, odd.message),
                    decided_by: &[],
                    if_written: true,
                });
            }
        }
        remarks
    }
}

/// Everything remarkable about `scenario`, which has no fault.
fn remarks(scenario: &Scenario) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut idle = |path: &str, decided_by, why: &str| {
        remarks.push(Remark {
            fault: FieldFault::new(path, format!("it has no effect: {why}")),
            decided_by,
            if_written: true,
        });
    };
    let radio = &scenario.radio;
    match &scenario.architecture {
        Architecture::TensorParallel(parallel) => {
            let scheme = parallel.all_reduce.name();
            if !matches!(parallel.all_reduce, Scheme::AirComp(_)) {
                idle(
                    "architecture.design",
                    &["architecture.all_reduce"],
                    &format!("only AirComp combines over the air, and all_reduce is {scheme}"),
                );
            }
            let tracked = matches!(parallel.all_reduce, Scheme::Digital(_) | Scheme::Ideal);
            if tracked && radio.synchronisation != Synchronisation::default() {
                idle(
                    "radio.synchronisation",
                    &["architecture.all_reduce"],
                    &format!("only analog symbols feel these errors, and all_reduce is {scheme}"),
                );
            }
            let Csi { doppler, delay, .. } = radio.csi;
            if delay.0 > 0.0 && doppler.0 == 0.0 && radio.doppler == Doppler::Off {
                idle(
                    "radio.csi.delay",
                    &["radio.csi.doppler", "radio.doppler"],
                    "channels without Doppler do not age; give radio.csi.doppler too, for \
                     example \"30 Hz\", or radio.doppler",
                );
            }
            if doppler.0 > 0.0 && delay.0 == 0.0 {
                idle(
                    "radio.csi.doppler",
                    &["radio.csi.delay"],
                    "channels are used the moment they are measured; give radio.csi.delay too, \
                     for example \"1 ms\"",
                );
            }
            if scenario.devices.count == 1 && !radio.lone_device_transmits {
                idle(
                    "radio",
                    &["devices.count", "radio.lone_device_transmits"],
                    "one device alone has nothing to add and sends nothing; with \
                     radio.lone_device_transmits: true it sends to the server",
                );
            }
            if radio.lone_device_transmits && scenario.devices.count > 1 {
                idle(
                    "radio.lone_device_transmits",
                    &["devices.count"],
                    &format!("there are {} devices", scenario.devices.count),
                );
            }
        }
        Architecture::Wdmoe(wdmoe) => {
            let why = "links of Wdmoe know their channels, are in step and start at once";
            for (path, set) in [
                ("radio.csi", radio.csi != Csi::default()),
                (
                    "radio.synchronisation",
                    radio.synchronisation != Synchronisation::default(),
                ),
                ("radio.round_overhead", radio.round_overhead.0 > 0.0),
                ("radio.budget_offsets", !radio.budget_offsets.is_empty()),
                ("radio.lone_device_transmits", radio.lone_device_transmits),
            ] {
                if set {
                    idle(path, &["architecture"], why);
                }
            }
            if keeps_all(wdmoe) {
                idle(
                    "architecture.dropped_weight",
                    &["architecture.selection", "architecture.on_outage"],
                    "TopK drops no expert, and neither does an outage",
                );
            }
        }
    }
    remarks.extend(drowned(scenario));
    remarks
}

/// Whether no expert is ever dropped.
fn keeps_all(wdmoe: &Wdmoe) -> bool {
    matches!(wdmoe.selection, ExpertSelection::TopK) && wdmoe.on_outage == OnOutage::Fail
}

/// A normalised budget, which knows no path loss, with a channel that has one.
fn drowned(scenario: &Scenario) -> Option<Remark> {
    let LinkBudget::Normalised { snr, .. } = scenario.radio.budget else {
        return None;
    };
    let (carrier, distance) = match &scenario.radio.fading {
        Fading::Rayleigh {
            carrier, distance, ..
        } => (*carrier, distance),
        Fading::Tr38901(fading) => (fading.carrier, &fading.distance),
        Fading::Rician { .. } | Fading::Trace(_) => return None,
    };
    let losses = (0..scenario.devices.count).map(|n| path_loss_db(carrier, distance.of(n)));
    let loss = losses.fold(f64::NEG_INFINITY, f64::max);
    let heard = snr.0 - loss;
    (heard < DROWNED_DB).then(|| Remark {
        fault: FieldFault::new(
            "radio.budget",
            format!(
                "next to nothing arrives: the fading has a path loss of {loss:.0} dB or more, \
                 and a Normalised snr of {snr} holds before it, which leaves {heard:.0} dB; give \
                 watts, for example Physical(transmit_power: \"23 dBm\", noise_density: \
                 \"-174 dBm/Hz\", noise_figure: \"5 dB\"), or fading without path loss, Rician"
            ),
        ),
        decided_by: &["radio.fading"],
        if_written: false,
    })
}
