//! Checks what a run would read, without reading all of it.

use super::experts::Spread;
use super::served::{family, wanted};
use super::{seconds, shape};
use crate::interrupt::Interrupt;
use crate::model::ModelShape;
use crate::numerics::{self, ExitHeads, Tokenizer};
use crate::placement::{Placed, Router};
use crate::rng::Streams;
use crate::scenario::{Model, Resolved};
use crate::serving::Decoding;
use crate::simulation::error::RunError;
use crate::simulation::requests::{Lowering, Reader};
use std::path::Path;

/// Checks the files that a run of `resolved` would read, weights by their headers alone and
/// of the world's texts only the first of each request.
///
/// # Errors
/// What [`prepare`](super::prepare) would say about them, each at its field.
pub(in crate::simulation) fn check(
    resolved: &Resolved,
    interrupt: Interrupt<'_>,
) -> Result<(), RunError> {
    check_inputs(resolved, interrupt).map_err(|error| error.placed(resolved))
}

fn check_inputs(resolved: &Resolved, interrupt: Interrupt<'_>) -> Result<(), RunError> {
    let shape = match &resolved.scenario.model {
        Model::Folder(written) | Model::Gguf(written) => {
            check_folder(resolved, &resolved.model_path(written), interrupt)?
        }
        Model::Shape(source) => {
            check_requests(resolved, None, interrupt)?;
            shape(resolved, source)?.0
        }
    };
    check_exits(resolved, shape.layers)?;
    for placed in &resolved.replicas {
        placed.check_layers(shape.layers)?;
        for stage in placed.stages() {
            let Placed::Experts {
                path,
                members,
                at,
                link,
                fields,
            } = stage
            else {
                continue;
            };
            let spread = Spread {
                path,
                members,
                at: *at,
                link: *link,
                fields,
            };
            spread.holders(&shape)?;
            if let (Model::Shape(_), Router::Trace(written)) =
                (&resolved.scenario.model, &fields.router)
            {
                spread.recorded(resolved, written, &shape)?;
            }
        }
    }
    Ok(())
}

/// Checks that the model has the exits that replicas ask for.
fn check_exits(resolved: &Resolved, layers: usize) -> Result<(), RunError> {
    for (number, replica) in resolved.scenario.replicas.iter().enumerate() {
        let Decoding::EarlyExit(fields) = &replica.decoding else {
            continue;
        };
        let known = match &resolved.scenario.model {
            Model::Folder(written) => ExitHeads::listed(&resolved.model_path(written))?,
            Model::Shape(_) | Model::Gguf(_) => Vec::new(),
        };
        let fits = fields.check_exits(layers, &known);
        fits.map_err(|fault| fault.under(&format!("replicas[{number}].decoding")))?;
    }
    Ok(())
}

/// Checks the model folder `folder`, and reads the workload by it; returns the model's shape.
fn check_folder(
    resolved: &Resolved,
    folder: &Path,
    interrupt: Interrupt<'_>,
) -> Result<ModelShape, RunError> {
    let family = wanted(resolved).unwrap_or_else(|| family(folder));
    let config = numerics::inspect(folder, family)?;
    let tokenizer = Tokenizer::load(folder)?;
    let reader = Reader {
        tokenizer: &tokenizer,
        config: &config,
        folder: &resolved.folder,
        most_of_world: 1,
        interrupt,
    };
    check_requests(resolved, Some(reader), interrupt)?;
    seconds::check(resolved, (&config, &tokenizer))?;
    let rounding = resolved.scenario.precision.unwrap_or_default().rounding();
    Ok(rounding.of(config.shape))
}

/// Makes the requests of the scenario's own first run.
fn check_requests(
    resolved: &Resolved,
    reader: Option<Reader<'_>>,
    interrupt: Interrupt<'_>,
) -> Result<(), RunError> {
    let lowering = Lowering {
        resolved,
        streams: Streams {
            seed: resolved.seed(),
            run: 0,
        },
        reader,
        interrupt,
    };
    lowering.requests(&mut Vec::new()).map(|_| ())
}
