//! What has no effect on experts that are spread.

use super::{Remark, Use, idle};
use crate::device::{DeviceProfile, Profile};
use crate::placement::{ExpertCompute, Experts, OnOutage, ServerCompute};
use crate::policy::ExpertSelection;
use crate::radio::{Csi, Synchronisation};

/// What is remarkable about a radio and a placement of experts over it.
pub(super) fn remarks(usage: &Use<'_>, experts: &Experts) -> Vec<Remark> {
    let radio = usage.radio;
    let placement = [usage.placement()];
    let mut remarks = Vec::new();
    let why = "links to experts know their channels, are in step and start at once";
    for (field, set) in [
        ("csi", radio.csi != Csi::default()),
        (
            "synchronisation",
            radio.synchronisation != Synchronisation::default(),
        ),
        ("round_overhead", radio.round_overhead.0 > 0.0),
        ("budget_offsets", !radio.budget_offsets.is_empty()),
        ("lone_device_transmits", radio.lone_device_transmits),
    ] {
        if set {
            remarks.push(idle(usage.of_link(field), &placement, why));
        }
    }
    for (path, why) in unread_profiles(usage, experts) {
        remarks.push(idle(path, &placement, why));
    }
    let keeps_all =
        matches!(experts.selection, ExpertSelection::TopK) && experts.on_outage == OnOutage::Fail;
    if keeps_all {
        let decides = ["selection", "on_outage"].map(|field| usage.of_placement(field));
        remarks.push(idle(
            usage.of_placement("dropped_weight"),
            &decides,
            "TopK drops no expert, and neither does an outage",
        ));
    }
    remarks
}

/// What of the nodes' profiles experts do not read.
fn unread_profiles(usage: &Use<'_>, experts: &Experts) -> Vec<(String, &'static str)> {
    let topology = &usage.resolved.topology;
    let groups = &usage.resolved.scenario.nodes;
    let name = &topology.at(usage.members[0]).group;
    let devices = &groups[name];
    let mut profiles = vec![(format!("nodes.{name}.profile"), &devices.profile)];
    let except = devices.except.iter();
    profiles.extend(except.map(|(n, profile)| (format!("nodes.{name}.except[{n}]"), profile)));
    let mut unread = Vec::new();
    for (path, profile) in profiles {
        let Ok(numbers) = profile.resolve() else {
            continue;
        };
        // A preset's numbers are not written one by one.
        let place = |field: &str| match profile {
            Profile::Custom(_) => format!("{path}.{field}"),
            _ => path.clone(),
        };
        let custom = matches!(profile, Profile::Custom(_));
        match (experts.compute, numbers.measured) {
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
        if experts.compute == ExpertCompute::Flops && custom && numbers.overhead.0 > 0.0 {
            unread.push((
                place("overhead"),
                "with compute: Flops only FLOPs take time; use compute: Roofline",
            ));
        }
    }
    let resting = |server: &DeviceProfile| server.idle().is_none();
    let at = topology.at(usage.placed.at());
    if experts.server_compute == ServerCompute::Negligible && resting(&at.profile) {
        unread.push((
            format!("nodes.{}.profile", at.group),
            "server_compute is Negligible, and without an idle_power it draws nothing; use \
             server_compute: Timed",
        ));
    }
    unread
}
