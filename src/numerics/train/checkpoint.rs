//! Checkpoints: everything a run needs to go on as if it had never stopped.
//!
//! One safetensors file holds the weights, AdamW's moments and the log; it appears
//! whole, so that a crash leaves either the old checkpoint or the new one.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::TrainError;
use super::log::Log;
use super::optimizer::{AdamW, Moments};
use crate::files;
use crate::whole::Files;

/// The checkpoint's name in the model folder; it goes when the model is done.
pub(super) const FILE: &str = "checkpoint.safetensors";

/// No checkpoint of a model that can be trained here is longer.
const MOST_BYTES: u64 = 1 << 34;

/// What a checkpoint says about its run.
#[derive(serde::Serialize, serde::Deserialize)]
struct Header {
    step: u64,
    fingerprint: String,
    seconds: f64,
    log: Log,
}

/// What is restored beside weights and moments.
pub(super) struct Resumed {
    pub(super) step: u64,
    pub(super) seconds: f64,
    pub(super) log: Log,
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Writes the state after `step` steps.
pub(super) fn save(
    folder: &Path,
    fingerprint: &str,
    resumed: &Resumed,
    variables: &BTreeMap<String, Var>,
    optimizer: &AdamW,
) -> Result<(), TrainError> {
    let mut data: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, var) in variables {
        let moments = &optimizer.moments[name];
        let weights = var.flatten_all()?.to_vec1::<f32>()?;
        for (kind, values) in [
            ("weight", &weights),
            ("first", &moments.first),
            ("second", &moments.second),
        ] {
            data.push((format!("{kind}.{name}"), var.dims().to_vec(), bytes(values)));
        }
    }
    let header = serde_json::to_string(&Header {
        step: resumed.step,
        fingerprint: fingerprint.to_owned(),
        seconds: resumed.seconds,
        log: resumed.log.clone(),
    })
    .expect("numbers and text");
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes)
            .expect("as many bytes as the shape says");
        (name.as_str(), view)
    });
    let metadata = [("training".to_owned(), header)].into();
    let contents = safetensors::serialize(views, Some(metadata))
        .expect("tensors of checked sizes always serialise");
    write_whole(&folder.join(FILE), &contents)
}

/// Restores `variables` and `optimizer` from the folder's checkpoint, if it has
/// one.
pub(super) fn load(
    folder: &Path,
    fingerprint: &str,
    variables: &BTreeMap<String, Var>,
    optimizer: &mut AdamW,
) -> Result<Option<Resumed>, TrainError> {
    let path = folder.join(FILE);
    let contents = match files::read(&path, MOST_BYTES) {
        Ok(contents) => contents,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(TrainError::Read { path, source }),
    };
    let damaged = |fault: String| TrainError::Checkpoint {
        path: path.clone(),
        fault,
    };
    let tensors = SafeTensors::deserialize(&contents).map_err(|e| damaged(e.to_string()))?;
    let (_, metadata) =
        SafeTensors::read_metadata(&contents).map_err(|e| damaged(e.to_string()))?;
    let header: Header = metadata
        .metadata()
        .as_ref()
        .and_then(|map| map.get("training"))
        .ok_or_else(|| damaged("it is not a training checkpoint".to_owned()))
        .and_then(|text| serde_json::from_str(text).map_err(|e| damaged(e.to_string())))?;
    if header.fingerprint != fingerprint {
        return Err(damaged(
            "it belongs to a run with other settings".to_owned(),
        ));
    }
    let read = |name: String, var: &Var| -> Result<Vec<f32>, TrainError> {
        let view = tensors.tensor(&name).map_err(|e| damaged(e.to_string()))?;
        if view.dtype() != Dtype::F32 || view.shape() != var.dims() {
            return Err(damaged(format!(
                "{name} is {:?} {:?}, but the network has F32 {:?}",
                view.dtype(),
                view.shape(),
                var.dims()
            )));
        }
        let words = view.data().as_chunks::<4>().0;
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    };
    for (name, var) in variables {
        let weights = read(format!("weight.{name}"), var)?;
        var.set(&Tensor::from_vec(weights, var.shape(), &Device::Cpu)?)?;
        let moments = Moments {
            first: read(format!("first.{name}"), var)?,
            second: read(format!("second.{name}"), var)?,
        };
        optimizer.moments.insert(name.clone(), moments);
    }
    Ok(Some(Resumed {
        step: header.step,
        seconds: header.seconds,
        log: header.log,
    }))
}

/// Writes the file at `path`, whole or not at all.
fn write_whole(path: &Path, contents: &[u8]) -> Result<(), TrainError> {
    let mut files = Files::default();
    files.stage(path, contents)?;
    files.commit()?;
    Ok(())
}
