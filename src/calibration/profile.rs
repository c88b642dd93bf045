//! The profile that a fit comes to.

use super::Calibration;
use super::equation::{CACHE_OVER_WEIGHT, counts};
use super::error::CalibrationError;
use super::fit::{Certainty, Fit};
use super::messages::Messages;
use super::row::Row;
use crate::device::WeightRate;
use crate::device::basis::{Evidence, Ground, Range};
use crate::device::{Basis, Calibrated, DeviceProfile, Few, Measured, MeasuredAt, Power, Preset};
use crate::units::{BytesPerSecond, ParametersPerSecond, Seconds, Watts};

/// The median of `values`, if there are any: of an even number the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len(), values.len() % 2) {
        (0, _) => None,
        (_, 1) => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// From least to most.
fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |span, value| {
        let (least, most) = span.unwrap_or((value, value));
        Some((f64::min(least, value), f64::max(most, value)))
    })
}

/// From least to most, if every row says it.
fn counts_of(counts: impl Iterator<Item = Option<u32>>) -> Option<(u32, u32)> {
    let counts: Option<Vec<u32>> = counts.collect();
    let values = counts?.into_iter().map(f64::from);
    span(values).map(|(least, most)| (least as u32, most as u32))
}

/// What the profile of `board` rests on before its own rows are looked at: all of it is the
/// preset's, whose measurements are of another board unless it is that board's own.
fn inherited(board: &str, base: &Preset) -> Basis {
    let mut basis = base.basis.clone();
    if board == base.name {
        return basis;
    }
    let taken = |ground: &mut Ground| {
        if matches!(ground, Ground::Measured(_) | Ground::Fitted(_)) {
            let reason = format!("taken from the preset {}: no row tells it", base.name);
            *ground = Ground::Assumed {
                reason: reason.into(),
            };
        }
    };
    let Basis {
        compute,
        prefill,
        context,
        memory,
        power,
        links,
    } = &mut basis;
    [compute, prefill, context, memory, power]
        .into_iter()
        .chain(links)
        .for_each(taken);
    basis
}

fn range(rows: &[&Row]) -> Range {
    Range {
        weights: span(rows.iter().map(|row| row.shape.parameters() as f64)),
        weight_bits: span(rows.iter().map(|row| row.shape.weight_bits)),
        devices: counts_of(rows.iter().map(|row| Some(row.devices))),
        context: counts_of(rows.iter().map(|row| row.known_context())),
    }
}

/// The files that `rows` stand in.
fn source(rows: &[&Row]) -> String {
    let places: Vec<&str> = rows.iter().map(|row| row.place.as_str()).collect();
    format!("rows {}", places.join(", "))
}

fn evidence(rows: &[&Row]) -> Evidence {
    Evidence {
        source: source(rows).into(),
        error: None,
        range: range(rows),
    }
}

/// The profile of `board`, whose `rows` came to `fit`, where these say nothing that of `base`.
pub(super) fn of(
    board: &str,
    rows: &[&Row],
    fit: &Fit,
    base: &Preset,
) -> Result<Calibration, CalibrationError> {
    let mut undetermined = Vec::new();
    let mut basis = inherited(board, base);
    let timed: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.total().is_some() || row.compute().is_some())
        .collect();
    basis.compute = match timed.len() {
        1 => Ground::Measured(evidence(&timed)),
        _ => Ground::Fitted(evidence(&timed)),
    };
    let mut profile = DeviceProfile {
        measured: Some(measured(fit, base, &mut undetermined)),
        overhead: Seconds(fit.overhead().value),
        ..base.profile
    };
    if fit.overhead().certainty == Certainty::Undetermined {
        let why = "overhead: rows of different models on different numbers of devices would tell \
                   it from the rest; taken to be 0 s, within the time per weight";
        undetermined.push(why.to_owned());
    }
    let choices = median(rows.iter().filter_map(|row| row.choice()).collect());
    profile.per_token = Seconds(choices.unwrap_or(0.0));
    if choices.is_none() {
        let why = "per_token: total_ms beside compute_ms and transfer_ms would tell it; taken to \
                   be 0 s, within the time per weight";
        undetermined.push(why.to_owned());
    }
    context(&mut profile, fit, &timed, &mut basis, &mut undetermined);
    prefill(&mut profile, rows, fit, &mut basis, &mut undetermined)?;
    power(&mut profile, rows, &mut basis, &mut undetermined);
    let messages = Messages::of(rows);
    if messages.is_none() && profile.messages.is_some() {
        let why = "messages: transfer_ms on several devices would tell them; taken from the base";
        undetermined.push(why.to_owned());
    }
    profile.messages = messages.map(|messages| messages.costs).or(profile.messages);
    let exchanging: Vec<&Row> = rows.iter().copied().filter(|row| row.devices > 1).collect();
    if let Some(messages) = messages {
        basis.links = Some(Ground::Fitted(evidence(&exchanging)));
        if !messages.split {
            let why = "messages: rows with different numbers of devices above one would tell \
                       sending and receiving from going on; taken to be a third each";
            undetermined.push(why.to_owned());
        }
    }
    let exchanged = exchanging.iter().filter_map(|row| {
        let predicted = messages?.predict(row)?;
        Some(((*row).clone(), row.transfer()?, predicted))
    });
    Ok(Calibration {
        calibrated: Calibrated {
            name: board.to_owned(),
            origin: format!(
                "airloom {} calibrate: robust least squares on relative error, {}; the rest is \
                 the preset {}'s",
                env!("CARGO_PKG_VERSION"),
                source(rows),
                base.name
            ),
            profile,
            basis,
        },
        parameters: fit.fitted.clone(),
        compared: Vec::new(),
        exchanged: exchanged.collect(),
        messages,
        undetermined,
    })
}

fn measured(fit: &Fit, base: &Preset, undetermined: &mut Vec<String>) -> Measured {
    let rates = fit.weights_by_bits().map(|(bits, fitted)| WeightRate {
        bits,
        rate: ParametersPerSecond(1.0 / fitted.value),
    });
    let replicated = fit.replicated();
    if replicated.certainty == Certainty::Undetermined {
        undetermined.push(format!(
            "replicated_fraction: rows with different numbers of devices would tell it; taken to \
             be {}, the preset {}'s",
            replicated.value, base.name
        ));
    }
    Measured {
        weight_rate: None,
        weight_rates: Few::of(rates).expect("no more bits are fitted than a profile holds"),
        replicated_fraction: replicated.value,
        contention_per_peer: 0.0,
        model_slowdown: 1.0,
    }
}

fn context(
    profile: &mut DeviceProfile,
    fit: &Fit,
    timed: &[&Row],
    basis: &mut Basis,
    undetermined: &mut Vec<String>,
) {
    let per_byte = match fit.cache() {
        Some(cache) if cache.value > 0.0 => {
            basis.context = Ground::Fitted(evidence(timed));
            cache.value
        }
        _ => {
            let why = "cache_rate: rows of long and different contexts would tell it; taken to be \
                       half the rate at which weights of 4.5 bits are read";
            undetermined.push(why.to_owned());
            basis.context = Ground::Assumed {
                reason: "no row varies the context: attention is taken to read the cache at half \
                         the rate of weights"
                    .into(),
            };
            fit.seconds_per_weight(4.5) * CACHE_OVER_WEIGHT
        }
    };
    profile.cache_rate = Some(BytesPerSecond(1.0 / per_byte));
}

/// The part of the peak that long prompts reach: Σ FLOPs over the time that is left when the
/// cache, the overhead and the LM head's one row are taken off.
fn prefill(
    profile: &mut DeviceProfile,
    rows: &[&Row],
    fit: &Fit,
    basis: &mut Basis,
    undetermined: &mut Vec<String>,
) -> Result<(), CalibrationError> {
    let mut rates = Vec::new();
    let mut used = Vec::new();
    for row in rows {
        let Some((tokens, seconds)) = row.prefill() else {
            continue;
        };
        let counts = counts(row, tokens, 0)?;
        let head = counts.head * fit.seconds_per_weight(row.shape.weight_bits);
        let cache = profile
            .cache_rate
            .map_or(0.0, |rate| counts.cache_bytes / rate.0);
        let left = seconds - head - cache - fit.overhead().value * counts.tasks;
        let rate = counts.flops / left;
        if left <= 0.0 || rate > profile.peak.0 {
            return Err(CalibrationError::Table {
                place: row.place.clone(),
                fault: format!(
                    "a prompt of {tokens} tokens in {seconds:.4} s would need {rate:.3e} FLOP/s, \
                     and the base has a peak of {}; is the rate in tokens per second?",
                    profile.peak
                ),
            });
        }
        rates.push(rate);
        used.push(*row);
    }
    match median(rates) {
        Some(rate) => {
            profile.efficiency = rate / profile.peak.0;
            basis.prefill = Ground::Measured(evidence(&used));
        }
        None => undetermined.push(format!(
            "efficiency: a long prompt would tell it; taken to be {}, the base's",
            profile.efficiency
        )),
    }
    Ok(())
}

fn power(
    profile: &mut DeviceProfile,
    rows: &[&Row],
    basis: &mut Basis,
    undetermined: &mut Vec<String>,
) {
    let of =
        |watts: fn(&Row) -> Option<f64>| median(rows.iter().filter_map(|row| watts(row)).collect());
    let Some(busy) = of(Row::watts) else {
        undetermined.push("power: watts would tell it; taken from the base".to_owned());
        return;
    };
    let idle = of(Row::idle_watts);
    let compute = of(Row::prefill_watts);
    if idle.is_none() {
        undetermined.push("power.idle: idle_watts would tell it; taken from the base".to_owned());
    }
    if compute.is_none() {
        let why = "power.compute_bound: prefill_watts would tell it; taken to be that of decoding";
        undetermined.push(why.to_owned());
    }
    let idle = idle.or(profile.idle().map(|idle| idle.0)).unwrap_or(0.0);
    let idle = Watts(idle.min(busy));
    let used: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.watts().is_some())
        .collect();
    (
        profile.energy_per_flop,
        profile.energy_per_byte,
        profile.idle_power,
    ) = (None, None, None);
    profile.power = Some(Power {
        idle,
        compute_bound: Watts(compute.unwrap_or(busy).max(idle.0)),
        memory_bound: Watts(busy),
        measured_at: MeasuredAt::Wall,
    });
    basis.power = Ground::Measured(evidence(&used));
}

/// Writes the error by leaving one out into what the profile rests on.
pub(super) fn state_error(calibration: &mut Calibration) {
    let error = calibration.error().map(|(mean, _, _)| mean);
    if let Ground::Fitted(evidence) | Ground::Measured(evidence) =
        &mut calibration.calibrated.basis.compute
    {
        evidence.error = error;
    }
}
