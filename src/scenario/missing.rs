//! What to do about a scenario that is not there.

use std::path::Path;

/// The file with the most similar name may be meant, in the folder of `path` or where
/// scenarios usually are.
pub(super) fn help(path: &Path) -> String {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let usual = Path::new("scenarios");
    for near in [folder.to_owned(), usual.to_owned(), folder.join(usual)] {
        if let Some(name) = similar(&near, &wanted) {
            let near = near.strip_prefix(".").unwrap_or(&near);
            return format!("did you mean {}?", near.join(name).display());
        }
    }
    if folder.is_dir() {
        format!("no scenario in {} has a similar name", folder.display())
    } else {
        format!("there is no folder {} either", folder.display())
    }
}

/// The scenario in `folder` whose name resembles `wanted` most.
fn similar(folder: &Path, wanted: &str) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let near = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".ron") || name.ends_with(".json"))
        // Who leaves the ending out means nothing else.
        .map(|name| match name.strip_suffix(".ron") {
            Some(stem) if stem == wanted => (0, name),
            _ => (strsim::damerau_levenshtein(wanted, &name), name),
        })
        // A third of the letters wrong is another word.
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .min();
    near.map(|(_, name)| name)
}
