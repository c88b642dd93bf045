//! What one token costs on one device, as a function of the device's bandwidth.

use crate::radio::shannon_rate;
use std::f64::consts::LN_2;

/// The delay of a token on one device, (8) with (2), (3), (6) and (7):
///
/// τ(B) = L_d/v(B; a_d) + L_u/v(B; a_u) + L_comp/C, with v(B; a) = B min(η_max, log₂(1 + a/B)).
///
/// It falls with B and is convex: v is concave and increasing, 1/v convex.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenLink {
    /// L_d, bits that go down per token.
    pub downlink_bits: f64,
    /// L_u, bits that return per token.
    pub uplink_bits: f64,
    /// a_d = P_d g/N₀ in Hz: the bandwidth at which the downlink has 0 dB.
    pub downlink_reach: f64,
    /// a_u = P_u g/N₀ in Hz.
    pub uplink_reach: f64,
    /// η_max in bit/s/Hz, what modulation carries at most; infinite, as in the paper, for all
    /// that Shannon allows.
    pub ceiling: f64,
    /// L_comp/C, seconds of compute per token.
    pub compute: f64,
}

/// Delay on the air with its first two derivatives in B.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    pub(super) seconds: f64,
    pub(super) slope: f64,
    pub(super) bend: f64,
}

/// Below this a/B the rate's derivative is taken from its series: the difference of two
/// nearly equal numbers would lose half the digits.
const SMALL: f64 = 1e-4;

/// v, v′ and v″ at B, in bit/s, bit/s/Hz, bit/s/Hz².
fn rate(bandwidth: f64, reach: f64, ceiling: f64) -> [f64; 3] {
    let u = reach / bandwidth;
    let nats = libm::log1p(u);
    if nats / LN_2 > ceiling {
        return [bandwidth * ceiling, ceiling, 0.0];
    }
    let value = bandwidth * nats / LN_2;
    let slope = if u < SMALL {
        u * u * (0.5 - u * (2.0 / 3.0 - 0.75 * u))
    } else {
        nats - u / (1.0 + u)
    };
    let bend = -u * u / (bandwidth * (1.0 + u) * (1.0 + u));
    [value, slope / LN_2, bend / LN_2]
}

impl TokenLink {
    /// Whether bits can travel both ways and compute ends.
    pub fn is_alive(&self) -> bool {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        [
            self.downlink_bits,
            self.uplink_bits,
            self.downlink_reach,
            self.uplink_reach,
        ]
        .into_iter()
        .all(positive)
            && self.ceiling > 0.0
            && self.compute.is_finite()
            && self.compute >= 0.0
    }

    /// τ(B) in seconds; infinite without bandwidth.
    pub fn delay(&self, bandwidth: f64) -> f64 {
        self.downlink_time(bandwidth) + self.uplink_time(bandwidth) + self.compute
    }

    /// L_d/R_d, (6).
    pub fn downlink_time(&self, bandwidth: f64) -> f64 {
        self.time(self.downlink_bits, bandwidth, self.downlink_reach)
    }

    /// L_u/R_u, (6).
    pub fn uplink_time(&self, bandwidth: f64) -> f64 {
        self.time(self.uplink_bits, bandwidth, self.uplink_reach)
    }

    fn time(&self, bits: f64, bandwidth: f64, reach: f64) -> f64 {
        if bandwidth > 0.0 {
            let capacity = shannon_rate(bandwidth, reach, 1.0, 1.0);
            bits / capacity.min(bandwidth * self.ceiling)
        } else {
            f64::INFINITY
        }
    }

    /// τ without any limit on bandwidth: no division of a band goes below it.
    ///
    /// v(∞) = a/ln 2, hence L ln 2 (1/a_d + 1/a_u) + L_comp/C.
    pub fn least_delay(&self) -> f64 {
        LN_2 * (self.downlink_bits / self.downlink_reach + self.uplink_bits / self.uplink_reach)
            + self.compute
    }

    /// The part of τ that depends on B, with its derivatives.
    pub(super) fn on_air(&self, bandwidth: f64) -> Curve {
        let mut sum = Curve {
            seconds: 0.0,
            slope: 0.0,
            bend: 0.0,
        };
        for (bits, reach) in [
            (self.downlink_bits, self.downlink_reach),
            (self.uplink_bits, self.uplink_reach),
        ] {
            let [v, slope, bend] = rate(bandwidth, reach, self.ceiling);
            sum.seconds += bits / v;
            sum.slope -= bits * slope / (v * v);
            sum.bend += bits * (2.0 * slope * slope / v - bend) / (v * v);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: TokenLink = TokenLink {
        downlink_bits: 65536.0,
        uplink_bits: 32768.0,
        downlink_reach: 3e9,
        uplink_reach: 6e7,
        ceiling: f64::INFINITY,
        compute: 4e-5,
    };

    #[test]
    fn derivatives_are_those_of_the_delay() {
        // From a bandwidth of many dB to one far below the noise, where the series is used.
        for bandwidth in [1e3, 1e6, 1e8, 1e11, 1e13] {
            let curve = LINK.on_air(bandwidth);
            let step = 1e-4 * bandwidth;
            let at = |b: f64| LINK.on_air(b);
            assert!((curve.seconds + LINK.compute - LINK.delay(bandwidth)).abs() < 1e-15);
            let (above, below) = (at(bandwidth + step), at(bandwidth - step));
            let slope = (above.seconds - below.seconds) / (2.0 * step);
            let bend = (above.slope - below.slope) / (2.0 * step);
            assert!((slope / curve.slope - 1.0).abs() < 1e-3, "{bandwidth}");
            assert!((bend / curve.bend - 1.0).abs() < 1e-6, "{bandwidth}");
        }
    }

    /// Below the bandwidth at which log₂(1 + a/B) is η_max a link carries η_max B, above it as
    /// much as without.
    #[test]
    fn a_ceiling_holds_where_the_band_is_narrow() {
        let capped = TokenLink {
            ceiling: 6.0,
            ..LINK
        };
        // 2⁶ − 1 = 63 times the noise.
        let knee = capped.uplink_reach / 63.0;
        let narrow = capped.uplink_time(0.5 * knee);
        assert!((narrow * 0.5 * knee * 6.0 / capped.uplink_bits - 1.0).abs() < 1e-12);
        assert!(narrow > LINK.uplink_time(0.5 * knee));
        assert_eq!(
            capped.uplink_time(1.01 * knee),
            LINK.uplink_time(1.01 * knee)
        );
        for bandwidth in [0.1 * knee, 0.9 * knee, 2.0 * knee] {
            let curve = capped.on_air(bandwidth);
            let step = 1e-4 * bandwidth;
            let slope =
                (capped.delay(bandwidth + step) - capped.delay(bandwidth - step)) / (2.0 * step);
            assert!((slope / curve.slope - 1.0).abs() < 1e-6, "{bandwidth}");
        }
    }

    #[test]
    fn no_bandwidth_is_no_delivery_and_much_is_the_least_delay() {
        assert_eq!(LINK.delay(0.0), f64::INFINITY);
        let much = LINK.delay(1e20);
        assert!((much / LINK.least_delay() - 1.0).abs() < 1e-9);
        assert!(LINK.delay(1e9) > LINK.least_delay());
    }
}
