//! Rules that span fields, and values that their types alone cannot refuse.

use super::model::Model;
use super::schema::{Architecture, Devices, Scenario, TensorParallel};
use super::workload::{Arrival, Choose, Generate, Request, Score, Text, Tokens, WorldText};
use crate::files;
use crate::model::ModelShape;
use crate::policy::Setting;
use crate::radio::{
    Fading, LONGEST_PREFIX, NpyHeader, PowerConvention, RadioConfig, Scheme, Trace, TraceShape,
};
use crate::units::{Duration, FieldFault};
use std::io::Read;
use std::path::Path;

/// The event log numbers devices with 16 bits, one of whose values means "none".
const MOST_DEVICES: usize = 65_534;

/// More tokens than that in one request are a slip of the pen.
const MOST_TOKENS: u32 = 1 << 20;

/// So are more documents or questions.
const MOST_TEXTS: u64 = 1 << 20;

/// The most tokens of a text file in one request: they are held in memory.
const MOST_SCORED: usize = 1 << 24;

/// The longest text file that is scored whole, in bytes; of a longer one windows are
/// counted.
const LONGEST_TEXT: u64 = 32 << 20;

/// Everything wrong with `scenario`, whose file lies in `folder`, and whose model may lie
/// `elsewhere`.
pub(super) fn faults(
    scenario: &Scenario,
    folder: &Path,
    elsewhere: Option<&Path>,
) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut check = |result: Result<(), FieldFault>| faults.extend(result.err());
    check(model(&scenario.model, folder, elsewhere).map_err(|fault| fault.under("model")));
    check(precision(scenario));
    check(
        scenario
            .server
            .resolve()
            .map(|_| ())
            .map_err(|fault| fault.under("server")),
    );
    let fleet = count(&scenario.devices);
    let fleet_is_possible = fleet.is_ok();
    check(fleet);
    for fault in profiles(&scenario.devices) {
        check(Err(fault));
    }
    if fleet_is_possible {
        let devices = scenario.devices.count;
        let radio = scenario.radio.validate(devices);
        check(radio.map_err(|fault| fault.under("radio")));
        if let Fading::Trace(trace) = &scenario.radio.fading {
            let fits = trace_fits(trace, &scenario.radio, devices, folder);
            check(fits.map_err(|fault| fault.under("fading").under("radio")));
        }
        for fault in architecture(scenario, folder) {
            check(Err(fault));
        }
    }
    if scenario.workload.is_empty() {
        check(Err(FieldFault::new(
            "workload",
            "there is no request; add one, for example Generate(prompt: \"Mara\")",
        )));
    }
    for (index, request) in scenario.workload.iter().enumerate() {
        let path = format!("workload[{index}]");
        let checked = self::request(request, folder);
        check(checked.map_err(|fault| fault.under(&path)));
        let served = self::served(request, &scenario.model);
        check(served.map_err(|fault| FieldFault::new(path.as_str(), fault.message)));
    }
    if let Some(sweep) = &scenario.sweep {
        check(sweep.validate().map_err(|fault| fault.under("sweep")));
    }
    faults
}

/// The design's own fields, and whether it can serve the scheme's streams.
fn design(parallel: &TensorParallel, device_antennas: usize) -> Result<(), FieldFault> {
    parallel.design.validate()?;
    match parallel.all_reduce {
        Scheme::AirComp(scheme) => parallel
            .design
            .check_streams(scheme.streams, device_antennas),
        _ => Ok(()),
    }
}

/// What the architecture finds wrong with its fields and with those it depends on.
fn architecture(scenario: &Scenario, folder: &Path) -> Vec<FieldFault> {
    let devices = scenario.devices.count;
    let layout = scenario.radio.layout(devices);
    let mut faults: Vec<FieldFault> = Vec::new();
    match &scenario.architecture {
        Architecture::TensorParallel(parallel) => {
            let setting = Setting {
                devices,
                shares_energy: scenario.radio.convention != PowerConvention::PowerPerUse,
                over_the_air: matches!(parallel.all_reduce, Scheme::AirComp(_)),
            };
            let assignment = parallel.assignment.method().validate(setting);
            let all_reduce = parallel.all_reduce.all_reduce().validate(layout);
            let design = design(parallel, scenario.radio.device_antennas);
            let scheme = parallel.all_reduce.all_reduce();
            // What a scheme says of itself rests on its fields being possible.
            if all_reduce.is_ok()
                && setting.shares_energy
                && scheme.uses_radio()
                && scheme
                    .uses_per_vector(2, devices, scenario.radio.coding)
                    .is_none()
            {
                faults.push(FieldFault::new(
                    "all_reduce",
                    "with radio.convention: EnergyPerVector a vector must take a known number of \
                     channel uses, but this all-reduce leaves it to the channel; fix its rate, \
                     for example rate: Fixed(\"12 bit/s/Hz\"), or use PowerPerUse",
                ));
            }
            for (field, result) in [
                ("assignment", assignment),
                ("all_reduce", all_reduce),
                ("design", design),
            ] {
                faults.extend(result.err().map(|fault| fault.under(field)));
            }
            if let Model::Shape(name) = &scenario.model
                && ModelShape::named(name).is_some_and(|shape| shape.experts.is_some())
            {
                let message = format!(
                    "tensor parallelism divides a LLaMA, and `{name}` has experts; use another \
                     shape, such as llama-2-7b, or the architecture Wdmoe"
                );
                return vec![FieldFault::new("model", message)];
            }
        }
        Architecture::Wdmoe(wdmoe) => {
            let radio = wdmoe.check_radio(&scenario.radio);
            let computed = matches!(scenario.model, Model::Folder(_));
            let fields = wdmoe.validate(devices, computed, folder);
            faults.extend(fields.into_iter().map(|fault| fault.under("architecture")));
            faults.extend(radio.err().map(|fault| fault.under("radio")));
            return faults;
        }
    }
    let faults = faults.into_iter();
    faults.map(|fault| fault.under("architecture")).collect()
}

/// Text needs a model that computes, bare numbers of tokens one that does not.
fn served(request: &Request, model: &Model) -> Result<(), FieldFault> {
    let fault = |message| Err(FieldFault::new("", message));
    match (request, model) {
        (Request::Tokens(_), Model::Folder(_)) => fault(
            "bare tokens have no text to compute with; use Score or Generate, or a model that is \
             a Shape",
        ),
        (Request::Tokens(_), Model::Shape(_)) => Ok(()),
        (_, Model::Shape(_)) => fault(
            "a Shape has no weights to read text with; use Tokens(prompt: 500), or a model's \
             Folder",
        ),
        _ => Ok(()),
    }
}

fn precision(scenario: &Scenario) -> Result<(), FieldFault> {
    match (&scenario.model, scenario.precision) {
        (_, None) => Ok(()),
        (Model::Folder(_), Some(_)) => Err(FieldFault::new(
            "precision",
            "the numbers of a model's Folder are as its files have them; leave this out, or use \
             a Shape",
        )),
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

fn model(model: &Model, folder: &Path, elsewhere: Option<&Path>) -> Result<(), FieldFault> {
    let written = match model {
        Model::Folder(written) => written,
        Model::Shape(name) => return shape(name),
    };
    let path = elsewhere.map_or_else(|| folder.join(written), Path::to_owned);
    let fault = |message: String| Err(FieldFault::new("Folder", message));
    if !path.is_dir() {
        return fault(missing("folder", &path, written));
    }
    if !path.join("config.json").is_file() {
        return fault(format!(
            "{} holds no config.json; give a model folder in Hugging Face layout",
            path.display()
        ));
    }
    Ok(())
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

fn shape(name: &str) -> Result<(), FieldFault> {
    if ModelShape::named(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = ModelShape::names().collect();
    Err(FieldFault::new(
        "Shape",
        format!("there is no shape `{name}`; known are {}", names.join(", ")),
    ))
}

fn count(devices: &Devices) -> Result<(), FieldFault> {
    if (1..=MOST_DEVICES).contains(&devices.count) {
        return Ok(());
    }
    Err(FieldFault::new(
        "devices.count",
        format!("{} devices; use 1 to {MOST_DEVICES}", devices.count),
    ))
}

fn profiles(devices: &Devices) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    if let Err(fault) = devices.profile.resolve() {
        faults.push(fault.under("devices.profile"));
    }
    for (device, profile) in &devices.except {
        let path = format!("devices.except[{device}]");
        if *device as usize >= devices.count {
            faults.push(FieldFault::new(
                path.as_str(),
                format!(
                    "there is no device {device} among {}, which are counted from 0",
                    devices.count
                ),
            ));
        }
        if let Err(fault) = profile.resolve() {
            faults.push(fault.under(&path));
        }
    }
    faults
}

fn request(request: &Request, folder: &Path) -> Result<(), FieldFault> {
    match request {
        Request::Score(score) => self::score(score, folder)?,
        Request::Generate(Generate { max_tokens: 0, .. }) => {
            return Err(FieldFault::new(
                "max_tokens",
                "0 tokens are no answer; use 1 or more",
            ));
        }
        Request::Tokens(Tokens {
            prompt, generate, ..
        }) => {
            for (path, count, least) in [("prompt", *prompt, 1), ("generate", *generate, 0)] {
                if !(least..=MOST_TOKENS).contains(&count) {
                    let message = format!("{count} tokens; use {least} to {MOST_TOKENS}");
                    return Err(FieldFault::new(path, message));
                }
            }
        }
        Request::Generate(_) => {}
        Request::Choose(choose) => self::choose(choose)?,
    }
    if let Arrival::At(time) = request.arrival() {
        Duration::from_seconds(time.0)
            .map_err(|error| FieldFault::new("arrival", error.to_string()))?;
    }
    Ok(())
}

fn choose(choose: &Choose) -> Result<(), FieldFault> {
    let Choose {
        questions, first, ..
    } = choose;
    if !(1..=MOST_TEXTS).contains(questions) {
        let message = format!("{questions} questions; use 1 to {MOST_TEXTS}");
        return Err(FieldFault::new("questions", message));
    }
    if first.checked_add(*questions).is_none() {
        return Err(FieldFault::new(
            "first",
            format!("{first} leaves no number for the last"),
        ));
    }
    Ok(())
}

fn score(score: &Score, folder: &Path) -> Result<(), FieldFault> {
    let fault = |path: &str, message: String| Err(FieldFault::new(path, message));
    match &score.text {
        Text::World(WorldText {
            documents, first, ..
        }) => {
            if !(1..=MOST_TEXTS).contains(documents) {
                let message = format!("{documents} documents; use 1 to {MOST_TEXTS}");
                return fault("text.documents", message);
            }
            if first.checked_add(*documents).is_none() {
                return fault(
                    "text.first",
                    format!("{first} leaves no number for the last"),
                );
            }
            for (path, given) in [("window", score.window), ("windows", score.windows)] {
                if given.is_some() {
                    return fault(
                        path,
                        "each document of the world is a window of its own; leave this out, and \
                         say how many with `documents`"
                            .to_owned(),
                    );
                }
            }
        }
        Text::File(written) => {
            let path = folder.join(written);
            if !path.is_file() {
                return fault("text", missing("file", &path, written));
            }
            if score.window.is_some_and(|window| window < 2) {
                return fault(
                    "window",
                    "a window needs 2 tokens or more: one to read, one to predict".to_owned(),
                );
            }
            if score.windows == Some(0) {
                return fault(
                    "windows",
                    "0 windows; use 1 or more, or leave it out".to_owned(),
                );
            }
            let window = score.window.unwrap_or(Score::DEFAULT_WINDOW);
            if window > MOST_TOKENS as usize {
                let message = format!("{window} tokens; use 2 to {MOST_TOKENS}");
                return fault("window", message);
            }
            let bytes = path.metadata().map_or(0, |file| file.len());
            match score.windows {
                Some(windows) if windows.saturating_mul(window) > MOST_SCORED => fault(
                    "windows",
                    format!(
                        "{windows} windows of {window} tokens; use at most {}",
                        MOST_SCORED / window
                    ),
                )?,
                None if bytes > LONGEST_TEXT => fault(
                    "text",
                    format!(
                        "{} has {bytes} bytes, and at most {LONGEST_TEXT} are scored whole; say \
                         with `windows` how many to take from its start",
                        path.display()
                    ),
                )?,
                _ => {}
            }
        }
    }
    Ok(())
}
