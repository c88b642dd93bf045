//! `airloom new`: a scenario to begin with.

use super::Failure;
use super::output::print;
use crate::scenario::Template;
use crate::simulation::model_folders;
use crate::text::Visible;
use crate::whole::write_new;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What to spread over the devices, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// A LLaMA's layers, each divided among all devices
    TensorParallel,
    /// A Mixtral's experts, one on each device
    Experts,
}

/// Write a commented scenario that runs at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom new first\n  \
    airloom new experts.ron --placement experts\n  \
    airloom new mine --model ~/models/TinyLlama-1.1B\n\n\
    Without --model it takes the bundled model of its kind, from a folder models/ here or in a\n\
    folder above, or where airloom was built; if it is nowhere, a published shape is timed\n\
    without weights. No file is ever overwritten.")]
pub(super) struct NewArgs {
    /// The file to write; .ron is added where it lacks [default: the placement's name]
    #[arg(value_hint = clap::ValueHint::FilePath)]
    name: Option<PathBuf>,
    /// What to spread over the devices
    #[arg(long, value_enum, default_value = "tensor-parallel")]
    placement: Kind,
    /// A model's folder in Hugging Face layout
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    model: Option<PathBuf>,
}

impl Kind {
    fn template(self) -> Template {
        match self {
            Self::TensorParallel => Template::TensorParallel,
            Self::Experts => Template::Experts,
        }
    }

    fn default_name(self) -> &'static str {
        match self {
            Self::TensorParallel => "tensor_parallel.ron",
            Self::Experts => "experts.ron",
        }
    }

    /// The bundled model of this kind.
    fn bundled(self) -> &'static str {
        match self {
            Self::TensorParallel => "tiny-llama",
            Self::Experts => "tiny-mixtral",
        }
    }
}

pub(super) fn new(args: NewArgs) -> Result<(), Failure> {
    let kind = args.placement;
    let mut path = args.name.unwrap_or_else(|| kind.default_name().into());
    if path.extension().is_none_or(|end| end != "ron") {
        path.as_mut_os_string().push(".ron");
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let input = |message: String| Failure::Input(Visible(&message).to_string());
    let folder = folder.canonicalize().map_err(|_| {
        let folder = folder.display();
        input(format!(
            "there is no folder {folder}; make it first: mkdir -p {folder}"
        ))
    })?;
    let model = match args.model {
        Some(model) if is_model(&model) => Some(model),
        Some(model) => {
            return Err(input(format!(
                "{} is no model's folder: it has no config.json; give one in Hugging Face layout",
                model.display()
            )));
        }
        None => bundled(kind, &folder),
    };
    let model = match model {
        Some(model) => Some(seen_from(
            &folder,
            &model.canonicalize().map_err(Failure::run)?,
        )),
        None => None,
    };
    let name = path.display().to_string();
    let text = kind.template().text(&name, model.as_deref());
    let written = write_new(&path, text.as_bytes());
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => input(format!(
            "{name} is there already and stays as it is; give another name"
        )),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            input(format!("cannot write {name}: {error}"))
        }
        _ => Failure::Run(format!(
            "cannot write {name}: {error}; nothing was left behind"
        )),
    })?;
    let timed = match model {
        Some(_) => "",
        None => " (no model found: a shape is timed, and no text is read)",
    };
    let change = match kind {
        Kind::TensorParallel => "nodes.device.count=8",
        Kind::Experts => "'replicas[0].placement.bandwidth=Uniform'",
    };
    print(format_args!(
        "written to {name}{timed}\n\nNext:\n  \
         airloom run {name}\n  \
         airloom run {name} --set {change}\n  \
         airloom sweep {name}\n  \
         airloom fields links.air\n"
    ))
}

fn is_model(folder: &Path) -> bool {
    folder.join("config.json").is_file()
}

/// The bundled model nearest to `folder`.
fn bundled(kind: Kind, folder: &Path) -> Option<PathBuf> {
    let models = model_folders(folder).into_iter();
    models
        .map(|models| models.join(kind.bundled()))
        .find(|model| is_model(model))
}

/// `path` as a path from `folder`, both absolute, written with `/` so that it means the
/// same on any system; as it is on another drive.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let common = folder
        .components()
        .zip(path.components())
        .take_while(|(one, other)| one == other)
        .count();
    if common == 0 {
        return path.to_owned();
    }
    let up = folder.components().skip(common).map(|_| "..".into());
    let down = path.components().skip(common);
    let parts = up.chain(down.map(|part| part.as_os_str().to_owned()));
    let parts: Vec<OsString> = parts.collect();
    parts.join(OsStr::new("/")).into()
}
