//! Rules that span fields, and values that their types alone cannot refuse.

mod decoding;
mod links;
mod placements;
mod replicas;
mod sources;
mod streams;
mod workload;

use super::model::Model;
use super::moved;
use super::schema::Scenario;
use super::system::{self, System};
use crate::units::FieldFault;
use std::path::Path;

/// The system that a completed `scenario` describes, whose file lies in `folder`, and whose
/// model may lie `elsewhere`.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn check(
    scenario: &Scenario,
    folder: &Path,
    elsewhere: Option<&Path>,
) -> Result<System, Vec<FieldFault>> {
    let mut faults = Vec::new();
    let mut check = |result: Result<(), FieldFault>| faults.extend(result.err());
    check(model(&scenario.model, folder, elsewhere).map_err(|fault| fault.under("model")));
    for (name, other) in &scenario.models {
        let path = format!("models.{name}");
        check(model(other, folder, None).map_err(|fault| fault.under(&path)));
    }
    check(precision(scenario));
    let mut system = None;
    match system::topology(scenario) {
        Err(found) => faults.extend(found),
        Ok(topology) => {
            faults.extend(links::faults(scenario, &topology, folder));
            match system::replicas(scenario, &topology) {
                Err(found) => faults.extend(found),
                Ok(replicas) => {
                    let placements = placements::Rules {
                        scenario,
                        folder,
                        elsewhere,
                    };
                    faults.extend(placements.faults(&replicas));
                    faults.extend(sources::faults(scenario, &topology, &replicas));
                    faults.extend(replicas::faults(scenario, &topology, &replicas));
                    faults.extend(decoding::faults(scenario, &topology, &replicas));
                    system = Some(System { topology, replicas });
                }
            }
        }
    }
    faults.extend(workload::faults(
        &scenario.workload,
        &scenario.model,
        folder,
    ));
    if let Some(goals) = &scenario.goals {
        let goals = goals.validate().map_err(|fault| fault.under("goals"));
        faults.extend(goals.err());
    }
    if let Some(sweep) = &scenario.sweep {
        let sweep = sweep.validate().map_err(|fault| fault.under("sweep"));
        faults.extend(sweep.err());
    }
    faults.extend(moved_axes(scenario));
    match system {
        Some(system) if faults.is_empty() => Ok(system),
        _ => Err(faults),
    }
}

/// The axes of the sweep whose path leads to where a field was once.
fn moved_axes(scenario: &Scenario) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let axes = scenario.sweep.iter().flat_map(|sweep| &sweep.axes);
    for (index, axis) in axes.enumerate() {
        for (below, member) in axis.members() {
            let Some(path) = &member.path else { continue };
            if let Some(now) = moved::path(path) {
                faults.push(FieldFault::new(
                    format!("sweep.axes[{index}]{below}.path"),
                    format!("`{path}` is `{now}` now"),
                ));
            }
        }
    }
    faults
}

fn precision(scenario: &Scenario) -> Result<(), FieldFault> {
    match (&scenario.model, scenario.precision) {
        (_, None) => Ok(()),
        (Model::Folder(_), Some(precision)) => precision
            .of_computed(false)
            .map_err(|fault| fault.under("precision")),
        (Model::Gguf(_), Some(precision)) => precision
            .of_computed(true)
            .map_err(|fault| fault.under("precision")),
        (Model::Shape(_), Some(precision)) => precision
            .validate()
            .map_err(|fault| fault.under("precision")),
    }
}

/// Says that there is no `kind` at `path`, which the scenario has as `written`. A path of
/// Windows loses its backslashes to RON, where they begin escapes.
fn missing(kind: &str, path: &Path, written: &str) -> String {
    let fix = if written.contains(char::is_control) {
        "its backslashes began escapes such as \\n and \\t: write the path with `/`, with each \
         backslash doubled, or as r\"C:\\folder\""
    } else {
        "paths are relative to the scenario's file"
    };
    format!("there is no {kind} {}; {fix}", path.display())
}

/// The first GGUF file in `folder`.
fn gguf_in(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".gguf")).min()
}

fn model(model: &Model, folder: &Path, elsewhere: Option<&Path>) -> Result<(), FieldFault> {
    let written = match model {
        Model::Folder(written) => written,
        Model::Gguf(written) => {
            let path = elsewhere.map_or_else(|| folder.join(written), Path::to_owned);
            let fault = |message| Err(FieldFault::new("Gguf", message));
            if !path.is_file() {
                return fault(missing("file", &path, written));
            }
            return match path.extension().is_some_and(|ending| ending == "gguf") {
                true => Ok(()),
                false => fault(format!(
                    "{} does not end in .gguf; give a GGUF file",
                    path.display()
                )),
            };
        }
        Model::Shape(source) => {
            let shape = source.shape(folder).map(|_| ());
            return shape.map_err(|message| FieldFault::new("Shape", message));
        }
    };
    let path = elsewhere.map_or_else(|| folder.join(written), Path::to_owned);
    let fault = |message: String| Err(FieldFault::new("Folder", message));
    if !path.is_dir() {
        if path.extension().is_some_and(|ending| ending == "gguf") {
            return fault(format!("it is a file; write model: Gguf({written:?})"));
        }
        return fault(missing("folder", &path, written));
    }
    if !path.join("config.json").is_file() {
        if let Some(name) = gguf_in(&path) {
            return fault(format!(
                "{} holds no config.json, but {name}; write model: Gguf(\"{written}/{name}\")",
                path.display()
            ));
        }
        return fault(format!(
            "{} holds no config.json; give a model folder in Hugging Face layout",
            path.display()
        ));
    }
    Ok(())
}
