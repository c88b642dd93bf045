//! Reads the channels that a scenario brings along.

use super::error::RunError;
use crate::files;
use crate::radio::ChannelTrace;
use crate::results::folder::FileDigest;
use crate::scenario::Resolved;
use crate::topology::LinkId;
use crate::units::FieldFault;
use std::sync::Arc;

/// What the name of a channel trace ends with in a manifest.
pub(super) const CHANNELS: &str = " (channels)";

/// The trace of channels that the radio `link` of `resolved` names, if any, and its file's digest.
///
/// # Errors
/// If the file cannot be read, is no array of complex numbers with four axes, or holds an
/// entry that is not finite.
pub(super) fn channel_trace(
    resolved: &Resolved,
    link: LinkId,
) -> Result<Option<(Arc<ChannelTrace>, FileDigest)>, RunError> {
    let Some(named) = resolved.radio(link).fading.model().trace() else {
        return Ok(None);
    };
    let path = resolved.path(&named.file);
    let fault = |message: String| {
        let message = format!("{}: {message}", path.display());
        resolved.fault(FieldFault::new(
            format!("{}.fading.file", resolved.link_path(link)),
            message,
        ))
    };
    let bytes = files::read(&path, ChannelTrace::MOST_BYTES)
        .map_err(|error| fault(format!("cannot read it: {error}; check its permissions")))?;
    let trace = ChannelTrace::from_npy(&bytes).map_err(|wrong| fault(wrong.message))?;
    let digest = FileDigest {
        name: format!("{}{CHANNELS}", named.file),
        bytes: bytes.len() as u64,
        blake3: blake3::hash(&bytes).to_hex().to_string(),
    };
    Ok(Some((Arc::new(trace), digest)))
}
