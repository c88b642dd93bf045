//! The model's own choice.

use super::{ExpertPolicy, Gate, Selection};
use crate::policy::PolicyError;

/// The k heaviest experts, whatever it takes to reach them: Mixtral as it was trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopK;

impl ExpertPolicy for TopK {
    fn select(&self, gate: &Gate<'_>) -> Result<Selection, PolicyError> {
        Selection::heaviest(gate)
    }
}
