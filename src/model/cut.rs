//! Where attention is cut between devices.
//!
//! What is divided is the attention's output before W_O, a column per head and entry:
//! whoever holds a column adds its product with the same row of W_O to the sum over devices,
//! so any cut between columns is exact. What a cut **within** a head costs is that all who hold a
//! part of a head compute its scores whole, for these need every entry of query and key; its
//! values and W_O are divided as the columns are. Sharing out the entries of queries and keys
//! instead would need the scores summed over the network before the softmax: another
//! all-reduce per layer, of a size that grows with the context.
//!
//! So heads are cut only where there are more devices than heads. Then every border between
//! two heads becomes a cut too, if a cut is near: of n devices with equal shares each has part
//! of one head, and n heads' scores are computed in all, the fewest when each takes part.

use super::Shares;
use std::ops::Range;

/// Each device's columns of the attention's output, of `heads` · `head_dim` in all.
///
/// As many devices as heads, or fewer, get whole heads by largest remainder; of devices with
/// share 0 none counts. Of more, device n's columns end at Σ_{i ≤ n} m_i of all, rounded, or at
/// the border between two heads that is nearest to that, if none ends nearer to the border.
pub(super) fn attention(shares: &Shares, heads: usize, head_dim: usize) -> Vec<Range<usize>> {
    let sharing = shares.as_slice().iter().filter(|&&share| share > 0.0);
    if sharing.count() <= heads {
        let whole = contiguous(&shares.apportion(heads)).into_iter();
        return whole
            .map(|heads| heads.start * head_dim..heads.end * head_dim)
            .collect();
    }
    let mut start = 0;
    let ends = ends(shares, heads).into_iter();
    ends.map(|end| {
        let range = start..(end * head_dim as f64).round() as usize;
        start = range.end;
        range
    })
    .collect()
}

/// Distances from a border that differ by less are the same but for rounding; then the lower end
/// moves to it.
const SAME: f64 = 1e-9;

/// Where each device's part of `heads` ends, in heads.
fn ends(shares: &Shares, heads: usize) -> Vec<f64> {
    let total: f64 = shares.as_slice().iter().sum();
    let mut sum = 0.0;
    let mut ends: Vec<f64> = shares
        .as_slice()
        .iter()
        .map(|share| {
            sum += share;
            (sum / total).min(1.0) * heads as f64
        })
        .collect();
    // The sum above may stop short of the total by rounding; nobody else has the rest.
    let last = ends.last().copied().unwrap_or_default();
    ends.iter_mut()
        .filter(|end| **end == last)
        .for_each(|end| *end = heads as f64);
    let near = |end: f64| {
        let border = end.round();
        let above = ends.partition_point(|&other| other < border);
        let below = ends[..above].last().copied();
        let above = ends.get(above).copied();
        let nearest = match (below, above) {
            (Some(below), Some(above)) if border - below <= above - border + SAME => below,
            (_, Some(above)) => above,
            (below, None) => below.unwrap_or(end),
        };
        // None ends at the model's first column, or it would hold nothing.
        if border > 0.0 && nearest == end {
            border
        } else {
            end
        }
    };
    ends.iter().map(|&end| near(end)).collect()
}

/// Parts of the given sizes, one after the other.
pub(super) fn contiguous(parts: &[usize]) -> Vec<Range<usize>> {
    let mut start = 0;
    parts
        .iter()
        .map(|part| {
            let range = start..start + part;
            start = range.end;
            range
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(devices: usize, heads: usize, head_dim: usize) -> Vec<Range<usize>> {
        let shares = Shares::equal(devices).expect("not zero");
        attention(&shares, heads, head_dim)
    }

    #[test]
    fn as_many_devices_as_heads_get_whole_ones() {
        assert_eq!(equal(2, 3, 4), [0..8, 8..12]);
        assert_eq!(equal(3, 3, 4), [0..4, 4..8, 8..12]);
        // One of four holds nothing of the model.
        let shares = Shares::new(vec![0.4, 0.0, 0.3, 0.3]).expect("sums to 1");
        assert_eq!(attention(&shares, 3, 4), [0..4, 4..4, 4..8, 8..12]);
    }

    #[test]
    fn more_devices_than_heads_cut_heads_at_their_borders_too() {
        assert_eq!(equal(3, 2, 6), [0..6, 6..8, 8..12]);
        assert_eq!(equal(4, 2, 6), [0..3, 3..6, 6..9, 9..12]);
        assert_eq!(equal(2, 1, 5), [0..3, 3..5]);
        for heads in 1..9 {
            for devices in heads..3 * heads {
                let crossing = |part: &Range<usize>| part.start / 32 != (part.end - 1) / 32;
                let parts = equal(devices, heads, 32);
                assert!(!parts.iter().any(crossing), "{heads} {devices} {parts:?}");
            }
        }
    }

    #[test]
    fn more_devices_than_columns_leave_some_without() {
        let parts = equal(9, 2, 2);
        assert_eq!(parts.iter().map(Range::len).sum::<usize>(), 4);
        assert_eq!(parts.last().map(|part| part.end), Some(4));
    }

    #[test]
    fn a_large_share_keeps_its_heads_and_small_ones_share_the_rest() {
        let shares = Shares::new(vec![0.65, 0.07, 0.07, 0.07, 0.14]).expect("sums to 1");
        let parts = attention(&shares, 4, 10);
        // After 2.6, 2.88, 3.16 and 3.44 heads; 2.88 is the nearest to a border.
        assert_eq!(parts, [0..26, 26..30, 30..32, 32..34, 34..40]);
    }
}
