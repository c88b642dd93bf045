//! Budgets and channels that do not belong together, judged by the mean gain of the channels,
//! whichever model they are of.

use super::{Remark, Use};
use crate::files;
use crate::radio::{ChannelTrace, Channels, Doppler, LinkBudget, RadioConfig};
use crate::rng::Streams;
use crate::units::FieldFault;
use std::sync::Arc;

/// Below this mean signal-to-noise ratio at an antenna, in dB, nothing useful arrives.
const DROWNED_DB: f64 = -20.0;

/// Above this no receiver tells signal from its own imperfections.
const BLINDING_DB: f64 = 100.0;

/// Free space has −22 dB, (1/4π)², a wavelength away: a channel of more gain is no radio
/// channel over a distance.
const FAR_FIELD_DB: f64 = -20.0;

/// What is remarkable about the link budget of a radio.
pub(super) fn remarks(usage: &Use<'_>) -> Vec<Remark> {
    let Some(gains) = mean_gains(usage) else {
        return Vec::new();
    };
    let decibels = |ratio: f64| 10.0 * libm::log10(ratio);
    let numbered = || gains.iter().map(|gain| decibels(*gain)).enumerate();
    let Some((weak, least)) = numbered().min_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Vec::new();
    };
    let most = numbered().map(|(_, gain)| gain).fold(least, f64::max);
    let radio = usage.radio;
    let power = radio.budget.resolve(radio.bandwidth);
    let sent = decibels(power.power / power.noise);
    let mut remarks = Vec::new();
    let mut remark = |field: &str, decided_by: &[&str], message: String| {
        let decided_by = decided_by.iter().map(|field| usage.of_link(field));
        remarks.push(Remark {
            fault: FieldFault::new(usage.of_link(field), message),
            decided_by: decided_by.collect(),
            if_written: false,
        });
    };
    let normalised = matches!(radio.budget, LinkBudget::Normalised { .. });
    let free_space = radio.fading.model().is_free_space();
    let far = !normalised || free_space;
    if far && most > FAR_FIELD_DB {
        let help = if free_space {
            "a path loss holds in the far field: move devices away"
        } else {
            "a Physical budget needs channels with their path loss, such as Rayleigh, Tr38901 or a \
             trace of real gains; for channels of a mean power near 1 use Normalised"
        };
        remark(
            "fading",
            &["budget"],
            format!(
                "the channels' mean gain is {most:.1} dB, and free space has -22 dB no farther \
                 than a wavelength away; {help}"
            ),
        );
    } else if sent + least < DROWNED_DB {
        let (heard, snr) = (sent + least, sent);
        let help = if normalised {
            "a Normalised snr holds before the channel: give watts, for example \
             Physical(transmit_power: \"23 dBm\", noise_density: \"-174 dBm/Hz\", noise_figure: \
             \"5 dB\"), or channels of a mean power near 1"
        } else {
            "raise transmit_power or antenna gains, or move devices closer"
        };
        remark(
            "budget",
            &["fading", "bandwidth"],
            format!(
                "next to nothing arrives: {snr:.0} dB before the channel and a mean gain of \
                 {least:.0} dB, that of device {weak}, leave {heard:.0} dB at an antenna; {help}"
            ),
        );
    } else if sent + most > BLINDING_DB {
        let heard = sent + most;
        remark(
            "budget",
            &["fading", "bandwidth"],
            format!(
                "{heard:.0} dB arrive at an antenna, {sent:.0} dB before the channel and a mean \
                 gain of {most:.0} dB: no receiver has such a ratio; give channels of a mean power \
                 near 1, or a smaller snr"
            ),
        );
    }
    remarks
}

/// E|h|² of every device: as the model of its channels says in the scenario's first run, or
/// over the whole trace. `None` if a trace cannot be read, which is the run's to refuse.
fn mean_gains(usage: &Use<'_>) -> Option<Vec<f64>> {
    let resolved = usage.resolved;
    let radio = RadioConfig {
        // It changes no mean, and a process in time takes long to draw.
        doppler: Doppler::Off,
        ..usage.radio.clone()
    };
    let trace = match radio.fading.model().trace() {
        Some(trace) => {
            let bytes = files::read(&resolved.path(&trace.file), ChannelTrace::MOST_BYTES).ok()?;
            Some(Arc::new(ChannelTrace::from_npy(&bytes).ok()?))
        }
        None => None,
    };
    let streams = Streams {
        seed: resolved.seed(),
        run: 0,
    };
    let devices = usage.members.len();
    let channels = Channels::new(&radio, devices, streams, trace).ok()?;
    let power = |device| channels.moments(device).power();
    Some((0..devices).map(power).collect())
}
