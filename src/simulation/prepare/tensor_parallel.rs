//! What tensor parallelism needs: the model or its shape divided, the air, the text as
//! tokens.

use super::{Made, Team, check_folder, digest, model_name, shape, text_digest};
use crate::architecture::tensor_parallel::{Parts, Source};
use crate::architecture::workload::Request;
use crate::architecture::{Loaded, Words};
use crate::interrupt::Interrupt;
use crate::model::{Architecture, ModelShape, ShardPlan};
use crate::numerics::{Llama, Tokenizer};
use crate::placement::TensorParallel;
use crate::radio::{Air, Channels};
use crate::results::folder::FileDigest;
use crate::rng::Streams;
use crate::scenario::{Model, Resolved};
use crate::simulation::assignment::divide;
use crate::simulation::channel_trace::channel_trace;
use crate::simulation::error::RunError;
use crate::simulation::requests::{Reader, counted_requests};
use std::path::Path;

pub(super) fn make(
    team: &Team<'_>,
    parallel: &TensorParallel,
    streams: Streams,
    interrupt: Interrupt<'_>,
) -> Result<Made, RunError> {
    let resolved = team.resolved;
    let scenario = &resolved.scenario;
    let served = match &scenario.model {
        Model::Shape(name) => Served::Timed(shape(resolved, name)?),
        Model::Folder(written) => Served::read(&resolved.model_path(written), interrupt)?,
    };
    let mut inputs = Vec::new();
    let requests = served.requests(resolved, &mut inputs, interrupt)?;
    let devices = team.devices();
    let (trace, trace_digest) = channel_trace(resolved, team.link)?.unzip();
    inputs.extend(trace_digest);
    let channels = Channels::new(team.radio, devices.len(), streams, trace)?;
    let contexts = requests
        .iter()
        .map(|request| request.task.longest_context());
    let context = contexts.max().unwrap_or(0) as usize;
    let divided = divide(
        team,
        parallel,
        served.shape(),
        &channels,
        context,
        interrupt,
    )?;
    let air = Air::over(
        channels,
        team.radio.clone(),
        parallel.all_reduce,
        parallel.design.transceiver_design(),
    )?
    .charge(&divided.load)?;
    let headline = format!(
        "{} on {} devices, {}{} all-reduce",
        model_name(resolved, served.shape()),
        devices.len(),
        match served {
            Served::Timed(_) => "timed and not computed, ",
            Served::Computed(_) => "",
        },
        parallel.all_reduce.name()
    );
    let parts = Box::new(Parts {
        source: served.divided(divided.plan)?,
        devices,
        server: team.server(),
        air,
        requests,
    });
    Ok(Made {
        parts,
        inputs,
        headline,
        assignment: divided.record,
    })
}

/// Checks what [`make`] would read.
pub(super) fn check(resolved: &Resolved, interrupt: Interrupt<'_>) -> Result<(), RunError> {
    if let Some(folder) = resolved.model_folder() {
        check_folder(resolved, &folder, Architecture::Llama, interrupt)?;
    }
    Ok(())
}

/// What is served: a shape, or a model that was read.
enum Served {
    Timed(ModelShape),
    Computed(Box<Loaded<Llama>>),
}

impl Served {
    fn read(folder: &Path, interrupt: Interrupt<'_>) -> Result<Self, RunError> {
        let model = Llama::load_until(folder, interrupt)?;
        let words = Words {
            tokenizer: Tokenizer::load(folder)?,
            end_tokens: model.config().eos.clone(),
        };
        Ok(Self::Computed(Box::new(Loaded { model, words })))
    }

    fn shape(&self) -> &ModelShape {
        match self {
            Self::Timed(shape) => shape,
            Self::Computed(loaded) => loaded.model.shape(),
        }
    }

    /// The requests of the workload; what was read for them goes to `inputs`.
    fn requests(
        &self,
        resolved: &Resolved,
        inputs: &mut Vec<FileDigest>,
        interrupt: Interrupt<'_>,
    ) -> Result<Vec<Request>, RunError> {
        let workload = &resolved.scenario.workload;
        let Loaded { model, words } = match self {
            Self::Timed(_) => return counted_requests(workload),
            Self::Computed(loaded) => loaded.as_ref(),
        };
        let reader = Reader {
            tokenizer: &words.tokenizer,
            config: model.config(),
            folder: &resolved.folder,
            most_of_world: u64::MAX,
            interrupt,
        };
        let requests = reader.requests(workload)?;
        inputs.extend(model.digests().iter().map(digest));
        inputs.extend(words.tokenizer.digests().iter().map(digest));
        inputs.push(text_digest(&requests));
        Ok(requests)
    }

    fn divided(self, plan: ShardPlan) -> Result<Source, RunError> {
        Ok(match self {
            Self::Timed(_) => Source::Timed(plan),
            Self::Computed(loaded) => Source::Computed(Box::new(Loaded {
                model: loaded.model.shard(&plan)?,
                words: loaded.words,
            })),
        })
    }
}
