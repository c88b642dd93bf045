//! Expert selection and bandwidth allocation, against optima found elsewhere, proofs of
//! optimality, and the algorithms' listings worked by hand.

mod bandwidth;
mod experts;
