//! Attention at every length: a pass of any number of rows, after any number of cached
//! positions, has the bits that its definition gives each row.
//!
//! A row sees only what stands before it, so one evaluation of the definition over the
//! longest pass holds the result of every shorter one. Keys stand in panels of 64
//! positions and values in whole vectors; how many rows and vectors a path takes at a
//! time is its own affair, and whatever is left over at an edge must not be seen here.

use crate::attention::{Data, Shape, paths};
use crate::values::{KINDS, Kind};

const LONGEST: usize = 300;

/// Positions per panel of keys.
const PANEL: usize = 64;

/// Head sizes on both sides of whole vectors, whole panels and what a tile is wide.
const HEAD_DIMS: [usize; 16] = [1, 2, 3, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 80, 128];

fn one_head(head_dim: usize) -> Shape {
    Shape {
        before: 0,
        rows: LONGEST,
        heads: 1,
        caches: 1,
        head_dim,
    }
}

/// Compares passes of (first row, rows) with the definition.
fn check(shape: Shape, kind: Kind, passes: impl Iterator<Item = (usize, usize)> + Clone) {
    let data = Data::new(shape, kind);
    let expected = data.definition();
    let width = shape.width();
    for kernels in paths() {
        for (first, rows) in passes.clone() {
            let found = data.attend(kernels, first, rows);
            assert!(
                found == expected[first * width..(first + rows) * width],
                "{}: {rows} rows after {first} positions, heads of {}, {kind:?}",
                kernels.path(),
                shape.head_dim,
            );
        }
    }
}

#[test]
fn passes_of_every_length_have_the_bits_of_the_definition() {
    for head_dim in HEAD_DIMS {
        let passes = (1..=LONGEST).map(|rows| (0, rows));
        check(one_head(head_dim), Kind::Ordinary, passes);
    }
}

#[test]
fn passes_of_every_length_have_the_bits_of_the_definition_for_every_kind_of_number() {
    for kind in KINDS {
        let passes = (1..=LONGEST).map(|rows| (0, rows));
        check(one_head(17), kind, passes);
    }
}

#[test]
fn every_row_count_after_cached_positions_has_the_bits_of_the_definition() {
    for head_dim in [16, 17, 48, 64] {
        let passes = (1..=LONGEST).map(|rows| (LONGEST - rows, rows));
        check(one_head(head_dim), Kind::Ordinary, passes);
    }
}

#[test]
fn panels_are_crossed_from_everywhere_by_every_row_count() {
    let passes = (PANEL..LONGEST).step_by(PANEL).flat_map(|edge| {
        let firsts = edge - 14..=edge + 2;
        firsts.flat_map(|first| (1..=20).map(move |rows| (first, rows)))
    });
    for head_dim in [3, 16, 33, 48, 80, 128] {
        check(one_head(head_dim), Kind::Ordinary, passes.clone());
    }
}

#[test]
fn grouped_heads_have_the_bits_of_the_definition_at_every_length() {
    let shape = Shape {
        heads: 6,
        caches: 2,
        ..one_head(24)
    };
    let whole = (1..=LONGEST).map(|rows| (0, rows));
    let last = (1..=LONGEST).map(|rows| (rows - 1, 1));
    check(shape, Kind::Ordinary, whole.chain(last));
}
