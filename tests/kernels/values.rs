//! Numbers for the tests: fixed sequences that reach every corner of `f32`.

/// The bits of `value`, every NaN being the canonical one.
pub fn bits(value: f32) -> u32 {
    if value.is_nan() {
        0x7fc0_0000
    } else {
        value.to_bits()
    }
}

/// The bits of all `values` as they are.
pub fn all_bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Values of a sequence that is fixed for all time, of the given kind.
pub fn values(count: usize, seed: u32, kind: Kind) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_769) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    (0..count)
        .map(|_| {
            let word = next();
            let unit = (word >> 8) as f32 / (1 << 23) as f32 - 1.0;
            match kind {
                Kind::Ordinary => unit,
                Kind::Short => (unit * 8.0).round() / 8.0,
                Kind::Half => f32::from_bits(unit.to_bits() & 0xffff_0000),
                Kind::Tiny => unit * 2f32.powi(-60 - (word % 17) as i32),
                Kind::Subnormal => f32::from_bits(word & 0x807f_ffff),
                Kind::Huge => unit * f32::MAX,
                Kind::Any => f32::from_bits(word),
                Kind::Special => [unit, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -0.0, 0.0]
                    [(word % 97).min(5) as usize],
            }
        })
        .collect()
}

/// What kind of numbers a matrix holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Uniform in ±1.
    Ordinary,
    /// Few significant bits: sums that are exactly halfway between two floats.
    Short,
    /// The 8 significant bits of bfloat16.
    Half,
    /// Products near the subnormal range.
    Tiny,
    Subnormal,
    /// Sums that overflow.
    Huge,
    /// Any bit pattern.
    Any,
    /// Infinities, NaN and signed zeros among ordinary numbers.
    Special,
}

pub const KINDS: [Kind; 8] = [
    Kind::Ordinary,
    Kind::Short,
    Kind::Half,
    Kind::Tiny,
    Kind::Subnormal,
    Kind::Huge,
    Kind::Any,
    Kind::Special,
];
