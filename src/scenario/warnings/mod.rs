//! What is no fault but hardly meant: settings that change nothing, budgets and channels
//! that do not belong together, and quantities with absurd prefixes.

mod link_budget;

use crate::architecture::wdmoe::{ExpertCompute, OnOutage, ServerCompute, Wdmoe};
use crate::device::{DeviceProfile, Profile};
use crate::policy::ExpertSelection;
use crate::radio::{
    Coding, Csi, Digital, Doppler, Downlink, LinkRate, RadioConfig, Scheme, Synchronisation,
};
use crate::scenario::fault::Fault;
use crate::scenario::fields::Fields;
use crate::scenario::resolved::Resolved;
use crate::scenario::schema::{Architecture, Scenario, TensorParallel};
use crate::units::{FieldFault, oddity};

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
        let mut remarks = remarks(&self.scenario);
        remarks.extend(link_budget::remarks(&self.scenario, &self.folder));
        remarks
            .into_iter()
            .filter(|remark| !meant(remark))
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
            if is_silent_alone(scenario) {
                idle(
                    "radio",
                    &["devices.count", "radio.lone_device_transmits"],
                    "one device alone has nothing to add and sends nothing; with \
                     radio.lone_device_transmits: true it sends to the server",
                );
            }
            if matches!(parallel.all_reduce, Scheme::Ideal) {
                idle(
                    "radio",
                    &["architecture.all_reduce"],
                    "all_reduce is Ideal, an exact sum in no time, and nothing is sent",
                );
            }
            for (path, why) in without_rate(parallel, radio) {
                idle(path, &["architecture.all_reduce", "radio.downlink"], why);
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
            for (path, why) in unread_profiles(scenario, wdmoe) {
                idle(&path, &["architecture"], why);
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
    remarks
}

/// Whether one device alone sends nothing.
fn is_silent_alone(scenario: &Scenario) -> bool {
    scenario.devices.count == 1 && !scenario.radio.lone_device_transmits
}

/// Whether nothing goes through the air.
fn is_silent(scenario: &Scenario) -> bool {
    match &scenario.architecture {
        Architecture::TensorParallel(parallel) => {
            matches!(parallel.all_reduce, Scheme::Ideal) || is_silent_alone(scenario)
        }
        Architecture::Wdmoe(_) => false,
    }
}

/// Whether no expert is ever dropped.
fn keeps_all(wdmoe: &Wdmoe) -> bool {
    matches!(wdmoe.selection, ExpertSelection::TopK) && wdmoe.on_outage == OnOutage::Fail
}

/// What of the radio no link of `parallel` reads, as none of them follows its channels.
fn without_rate(
    parallel: &TensorParallel,
    radio: &RadioConfig,
) -> Vec<(&'static str, &'static str)> {
    let fixed = |rate| matches!(rate, LinkRate::Fixed(_));
    // Whether there is a digital link, and whether its rate is that of a channel.
    let uplink = match parallel.all_reduce {
        Scheme::Ideal => return Vec::new(),
        Scheme::Digital(Digital { rate, .. }) => Some(!fixed(rate)),
        Scheme::AirComp(_) | Scheme::UncodedFdma(_) => None,
    };
    let downlink = match radio.downlink {
        Downlink::Ideal => None,
        Downlink::Multicast { rate, .. } => Some(!fixed(rate)),
    };
    let digital = uplink.or(downlink).is_some();
    let follows = uplink == Some(true) || downlink == Some(true);
    let mut unread = Vec::new();
    let Coding { gap, ceiling, .. } = radio.coding;
    if !digital && radio.coding != Coding::default() {
        unread.push((
            "radio.coding",
            "no link is digital, whose capacity it would change",
        ));
    } else if !follows && (gap.0 > 0.0 || ceiling.is_some()) {
        let why = "gap and ceiling are those of drawn rates, and every rate is Fixed";
        unread.push(("radio.coding", why));
    }
    if uplink == Some(false) && !follows {
        let why = "every link has a Fixed rate, whatever its channel";
        unread.extend([("radio.fading", why), ("radio.doppler", why)]);
    }
    unread
}

/// What of the devices' profiles an architecture of experts does not read.
fn unread_profiles(scenario: &Scenario, wdmoe: &Wdmoe) -> Vec<(String, &'static str)> {
    let devices = &scenario.devices;
    let mut profiles = vec![("devices.profile".to_owned(), &devices.profile)];
    let except = devices.except.iter();
    profiles.extend(except.map(|(n, profile)| (format!("devices.except[{n}]"), profile)));
    let mut unread = Vec::new();
    for (path, profile) in profiles {
        let Ok(numbers) = profile.resolve() else {
            continue;
        };
        // A preset's numbers are not written one by one.
        let place = |field: &str| match profile {
            Profile::Custom(_) => format!("{path}.{field}"),
            Profile::Preset(_) => path.clone(),
        };
        let custom = matches!(profile, Profile::Custom(_));
        match (wdmoe.compute, numbers.measured) {
            (ExpertCompute::Flops, Some(_)) => unread.push((
                place("measured"),
                "with compute: Flops only FLOPs take time; use compute: Roofline",
            )),
            (ExpertCompute::Roofline, Some(measured))
                if measured.replicated_fraction > 0.0 || measured.contention_per_peer > 0.0 =>
            {
                unread.push((
                    place("measured"),
                    "of replicated_fraction and contention_per_peer: they are those of a layer \
                     that is divided, and experts are held whole",
                ));
            }
            _ => {}
        }
        if wdmoe.compute == ExpertCompute::Flops && custom && numbers.overhead.0 > 0.0 {
            unread.push((
                place("overhead"),
                "with compute: Flops only FLOPs take time; use compute: Roofline",
            ));
        }
    }
    let resting = |server: &DeviceProfile| server.idle_power.is_none();
    if wdmoe.server_compute == ServerCompute::Negligible
        && scenario
            .server
            .resolve()
            .is_ok_and(|server| resting(&server))
    {
        unread.push((
            "server".to_owned(),
            "server_compute is Negligible, and without an idle_power it draws nothing; use \
             server_compute: Timed",
        ));
    }
    unread
}
