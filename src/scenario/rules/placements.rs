//! What placements say of themselves, and of the model and the links that they use.

use crate::files;
use crate::model::ModelShape;
use crate::placement::{Experts, Placed, TensorParallel};
use crate::policy::Setting;
use crate::radio::{AllReduce, PowerConvention, RadioConfig, Symbols};
use crate::scenario::model::Model;
use crate::scenario::schema::Scenario;
use crate::scenario::system;
use crate::topology::LinkId;
use crate::units::FieldFault;
use std::path::Path;

/// The longest `config.json` of a model that is read.
const MOST_SETTINGS: u64 = 1 << 20;

/// What placements are held against.
pub(super) struct Rules<'a> {
    pub(super) scenario: &'a Scenario,
    /// The folder of the scenario's file.
    pub(super) folder: &'a Path,
    /// Where the model lies, if not where the scenario says.
    pub(super) elsewhere: Option<&'a Path>,
}

impl Rules<'_> {
    /// Everything wrong with `replicas`, each by its path.
    pub(super) fn faults(&self, replicas: &[Placed]) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        for replica in replicas {
            for stage in replica.stages() {
                for fault in self.stage(stage) {
                    if !faults.contains(&fault) {
                        faults.push(fault);
                    }
                }
            }
            if let Placed::Pipeline { .. } = replica
                && let Some(layers) = self.layers()
            {
                faults.extend(replica.check_layers(layers).err());
            }
        }
        faults
    }

    fn stage(&self, stage: &Placed) -> Vec<FieldFault> {
        match stage {
            Placed::Tensor {
                path,
                members,
                link,
                fields,
                ..
            } => self.tensor(path, members.len(), *link, fields),
            Placed::Experts {
                path,
                members,
                link,
                fields,
                ..
            } => self.experts(path, members.len(), *link, fields),
            Placed::Single { .. } | Placed::Pipeline { .. } => Vec::new(),
        }
    }

    /// The radio `link` and its path.
    fn radio(&self, link: Option<LinkId>) -> Option<(&RadioConfig, String)> {
        let id = link?;
        let name = self.scenario.links.keys().nth(id.index())?;
        let radio = system::link(self.scenario, id).radio()?;
        Some((radio, format!("links.{name}")))
    }

    /// The model's layers, as far as is known without reading weights.
    fn layers(&self) -> Option<usize> {
        match &self.scenario.model {
            Model::Shape(_) => Some(self.shape()?.layers),
            Model::Folder(written) => {
                let folder = self.folder.join(written);
                let settings = self.elsewhere.unwrap_or(&folder).join("config.json");
                let text = files::read(&settings, MOST_SETTINGS).ok()?;
                let settings: serde_json::Value = serde_json::from_slice(&text).ok()?;
                settings["num_hidden_layers"].as_u64()?.try_into().ok()
            }
            Model::Gguf(_) => None,
        }
    }

    fn shape(&self) -> Option<ModelShape> {
        match &self.scenario.model {
            Model::Shape(source) => Some(source.shape(self.folder).ok()?.0),
            Model::Folder(_) | Model::Gguf(_) => None,
        }
    }

    fn tensor(
        &self,
        path: &str,
        devices: usize,
        link: Option<LinkId>,
        parallel: &TensorParallel,
    ) -> Vec<FieldFault> {
        if let Some(shape) = self.shape().filter(|shape| shape.experts.is_some()) {
            let message = format!(
                "tensor parallelism divides a LLaMA, and `{}` has experts; use another shape, \
                 such as llama-2-7b, or the placement Experts",
                shape.name
            );
            return vec![FieldFault::new("model", message)];
        }
        let scheme = parallel.all_reduce.all_reduce();
        // Shares are judged by the channels to one hub, which a hierarchy's are not.
        let over_the_air = matches!(scheme.symbols(), Symbols::Combined { .. });
        let Some((radio, link)) = self.radio(link) else {
            if !scheme.uses_radio() || devices < 2 {
                let own = scheme.validate(RadioConfig::default().layout(devices));
                let under = |fault: FieldFault| fault.under("all_reduce").under(path);
                return own.err().map(under).into_iter().collect();
            }
            let message = format!(
                "{} goes through the air, and no Radio joins these nodes with their sum; add \
                 one, or use Star or Ring, which send messages over any links, or Ideal",
                parallel.all_reduce.name()
            );
            return vec![FieldFault::new(format!("{path}.all_reduce"), message)];
        };
        let mut faults = Vec::new();
        let setting = Setting {
            devices,
            shares_energy: radio.convention != PowerConvention::PowerPerUse,
            over_the_air,
        };
        let assignment = parallel.assignment.method().validate(setting);
        let all_reduce =
            scheme
                .validate(radio.layout(devices))
                .and_then(|()| match scheme.hierarchy() {
                    Some(levels) => levels.check_fading(&radio.fading, devices),
                    None => Ok(()),
                });
        let design = design(parallel, radio.device_antennas);
        // What a scheme says of itself rests on its fields being possible.
        if all_reduce.is_ok() && scheme.hierarchy().is_some() && setting.shares_energy {
            faults.push(FieldFault::new(
                "all_reduce",
                format!(
                    "with {link}.convention: EnergyPerVector every device pays for its own vector, \
                     but a head sends for its whole cluster; use PowerPerUse"
                ),
            ));
        } else if all_reduce.is_ok()
            && setting.shares_energy
            && scheme.uses_radio()
            && scheme.uses_per_vector(2, devices, radio.coding).is_none()
        {
            faults.push(FieldFault::new(
                "all_reduce",
                format!(
                    "with {link}.convention: EnergyPerVector a vector must take a known number \
                     of channel uses, but this all-reduce leaves it to the channel; fix its \
                     rate, for example rate: Fixed(\"12 bit/s/Hz\"), or use PowerPerUse"
                ),
            ));
        }
        for (field, result) in [
            ("assignment", assignment),
            ("all_reduce", all_reduce),
            ("design", design),
        ] {
            faults.extend(result.err().map(|fault| fault.under(field)));
        }
        faults.into_iter().map(|fault| fault.under(path)).collect()
    }

    fn experts(
        &self,
        path: &str,
        devices: usize,
        link: Option<LinkId>,
        experts: &Experts,
    ) -> Vec<FieldFault> {
        if let Some(shape) = self.shape().filter(|shape| shape.experts.is_none()) {
            let message = format!(
                "`{}` has no experts; use mixtral-8x7b, or another placement, such as \
                 TensorParallel",
                shape.name
            );
            return vec![FieldFault::new("model", message)];
        }
        let computed = !matches!(self.scenario.model, Model::Shape(_));
        let fields = experts.validate(devices, computed, self.folder);
        let mut faults: Vec<_> = fields.into_iter().map(|fault| fault.under(path)).collect();
        match self.radio(link) {
            Some((radio, link)) => {
                let fits = experts.check_radio(radio);
                faults.extend(fits.err().map(|fault| fault.under(&link)));
            }
            None => faults.push(FieldFault::new(
                format!("{path}.link"),
                "tokens go to experts through the air, and no Radio joins these nodes with \
                 their sum; add one whose hub is `at` and whose members are `over`",
            )),
        }
        faults
    }
}

/// The design's own fields, and whether it can serve the scheme's streams.
fn design(parallel: &TensorParallel, device_antennas: usize) -> Result<(), FieldFault> {
    parallel.design.validate()?;
    let levels = parallel.all_reduce.levels().into_iter();
    let mut combined = levels.filter_map(|scheme| match scheme.symbols() {
        Symbols::Combined { streams } => Some(streams),
        _ => None,
    });
    combined.try_for_each(|streams| parallel.design.check_streams(streams, device_antennas))
}
