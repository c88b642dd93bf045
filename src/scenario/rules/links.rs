//! What the radios among the links say of themselves and of the nodes around them.

use super::missing;
use crate::files;
use crate::radio::{LONGEST_PREFIX, NpyHeader, PowerConvention, RadioConfig, Trace, TraceShape};
use crate::scenario::schema::Scenario;
use crate::scenario::system::profile_path;
use crate::topology::Topology;
use crate::units::FieldFault;
use std::io::Read;
use std::path::Path;

/// What is wrong with each radio, by its path.
pub(super) fn faults(scenario: &Scenario, topology: &Topology, folder: &Path) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    for (name, radio) in scenario.radios() {
        let Some(link) = topology.link(name) else {
            continue;
        };
        let path = format!("links.{name}");
        let members = topology.members(link);
        let own = radio.validate(members.len());
        faults.extend(own.err().map(|fault| fault.under(&path)));
        if let Some(trace) = radio.fading.model().trace() {
            let fits = trace_fits(trace, radio, members.len(), folder);
            faults.extend(fits.err().map(|fault| fault.under("fading").under(&path)));
        }
        if radio.convention == PowerConvention::PowerPerUse {
            continue;
        }
        let mut numbered = members
            .iter()
            .map(|member| topology.at(*member))
            .enumerate();
        let unknown = numbered.find(|(_, node)| node.profile.joules_per_weight(0.0).is_none());
        if let Some((number, node)) = unknown {
            faults.push(FieldFault::new(
                profile_path(&scenario.nodes, &node.group, number),
                format!(
                    "EnergyPerVector charges compute to the budgets of `{name}`, but the profile \
                     of {} has no energy_per_flop and energy_per_byte; give both, or use \
                     PowerPerUse",
                    node.name
                ),
            ));
        }
    }
    faults
}

/// Checks a trace of channels by its header, without reading its entries.
fn trace_fits(
    trace: &Trace,
    radio: &RadioConfig,
    devices: usize,
    folder: &Path,
) -> Result<(), FieldFault> {
    let path = folder.join(&trace.file);
    let fault = |message: String| FieldFault::new("file", format!("{}: {message}", path.display()));
    if !path.is_file() {
        return Err(FieldFault::new("file", missing("file", &path, &trace.file)));
    }
    let read = || -> std::io::Result<(Vec<u8>, u64)> {
        let (file, length) = files::open(&path)?;
        let mut prefix = Vec::new();
        file.take(LONGEST_PREFIX as u64).read_to_end(&mut prefix)?;
        Ok((prefix, length))
    };
    let (prefix, length) =
        read().map_err(|error| fault(format!("cannot read it: {error}; check its permissions")))?;
    let header = NpyHeader::parse(&prefix, length).map_err(|error| fault(error.to_string()))?;
    TraceShape::of(&header)
        .and_then(|shape| {
            let antennas = radio.most_antennas(devices);
            shape.validate(devices, radio.server_antennas, antennas)
        })
        .map_err(|wrong| fault(wrong.message))
}
