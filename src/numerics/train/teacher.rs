//! The model that a smaller one learns from: any that inference can load, by inference's own
//! kernels, so that what it says has the same bits on every machine.

use std::path::Path;
use std::sync::Arc;

use super::TrainError;
use super::batch::{Batch, Reader, Sequence};
use super::ops::NO_TARGET;
use crate::files;
use crate::model::{Architecture, ModelShape, ShardPlan};
use crate::numerics::{KvCache, Llama, Mixtral, Rows, ShardedLlama, StepError, architecture};

/// The tokenizer's file in a model folder.
const TOKENIZER: &str = "tokenizer.json";

/// No tokenizer published so far is longer than 35 MB.
const MOST_BYTES: u64 = 256 << 20;

enum Model {
    Llama(Box<ShardedLlama>),
    Mixtral(Box<Mixtral>),
}

/// A trained model with its tokenizer.
pub(super) struct Teacher {
    model: Model,
    /// The contents of its `tokenizer.json`.
    pub(super) tokenizer_json: String,
    /// The digests of its files, one after the other.
    pub(super) digests: String,
}

impl Teacher {
    /// Loads the model folder `folder`, which must read `window` positions.
    ///
    /// # Errors
    /// What loading says; if it reads fewer positions than `window`.
    pub(super) fn load(folder: &Path, window: usize) -> Result<Self, TrainError> {
        let (model, files, positions) = match architecture(folder) {
            Some(Architecture::Mixtral) => {
                let mixtral = Mixtral::load(folder)?;
                let positions = mixtral.config().max_positions;
                let files = mixtral.digests().to_vec();
                (Model::Mixtral(Box::new(mixtral)), files, positions)
            }
            _ => {
                let llama = Llama::load(folder)?;
                let plan = ShardPlan::whole(llama.shape()).map_err(StepError::from)?;
                let packed = llama.shard(&plan)?;
                let positions = llama.config().max_positions;
                let files = llama.digests().to_vec();
                (Model::Llama(Box::new(packed)), files, positions)
            }
        };
        if positions < window {
            return Err(TrainError::Config {
                field: "teacher",
                fault: format!(
                    "{} reads {positions} positions, fewer than the {window} of a row of \
                     documents; take a teacher of longer texts",
                    folder.display()
                ),
            });
        }
        let path = folder.join(TOKENIZER);
        let content = files::read(&path, MOST_BYTES).and_then(|content| {
            String::from_utf8(content)
                .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
        });
        Ok(Self {
            model,
            tokenizer_json: content.map_err(|source| TrainError::Read { path, source })?,
            digests: files.into_iter().map(|file| file.blake3).collect(),
        })
    }

    /// The shape of the model.
    pub(super) fn shape(&self) -> &ModelShape {
        match &self.model {
            Model::Llama(model) => model.shape(),
            Model::Mixtral(model) => model.shape(),
        }
    }

    /// Entries of the vocabulary that both models have: those of its weights, of which the
    /// tokenizer of `reader` may leave some unused.
    ///
    /// # Errors
    /// If the tokenizer, that of `folder`, has more.
    pub(super) fn vocabulary(&self, reader: &Reader, folder: &Path) -> Result<usize, TrainError> {
        let (model, tokenizer) = (self.shape().vocabulary, reader.vocabulary());
        if tokenizer <= model {
            return Ok(model);
        }
        Err(TrainError::Config {
            field: "teacher",
            fault: format!(
                "{} has {tokenizer} tokens in {TOKENIZER}, but vocab_size {model}; give the \
                 tokenizer that the model was trained with",
                folder.display()
            ),
        })
    }

    /// Its logits where `batch` holds `sequences`, \[positions × vocabulary\]; 0 where there is
    /// no target.
    pub(super) fn logits(
        &self,
        sequences: &[Sequence],
        batch: &Batch,
    ) -> Result<Arc<Vec<f32>>, TrainError> {
        let texts: Vec<&[u32]> = sequences
            .iter()
            .map(|sequence| &sequence.tokens[..sequence.predicted()])
            .collect();
        let wanted = vec![Rows::All; texts.len()];
        let caches = texts.iter().map(|text| match &self.model {
            Model::Llama(model) => model.cache(text.len()),
            Model::Mixtral(model) => model.cache(text.len()),
        });
        let mut caches = caches.collect::<Result<Vec<_>, _>>()?;
        let mut caches: Vec<&mut KvCache> = caches.iter_mut().collect();
        let workspace = match &self.model {
            Model::Llama(model) => {
                let mut workspace = model.workspace();
                model.forward_slices_ideal(&texts, &mut caches, &mut workspace, &wanted)?;
                workspace
            }
            Model::Mixtral(model) => {
                let mut workspace = model.workspace();
                model.forward_slices(&texts, &mut caches, &mut workspace, &wanted)?;
                workspace
            }
        };
        let vocabulary = self.shape().vocabulary;
        let made = workspace.logits()?;
        let mut all = vec![0f32; batch.targets.len() * vocabulary];
        let mut rows = made.chunks_exact(vocabulary);
        for (text, &place) in texts.iter().zip(&batch.places) {
            let own = all[place * vocabulary..].chunks_exact_mut(vocabulary);
            for (out, row) in own.zip(rows.by_ref().take(text.len())) {
                out.copy_from_slice(row);
            }
        }
        Ok(Arc::new(all))
    }
}

/// How alike a model and its teacher are, summed over predicted tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Likeness {
    /// Predicted tokens.
    pub tokens: u64,
    /// Tokens of which both find the same one the most probable.
    pub same: u64,
    /// Σ_v min(t_v, s_v), summed: the probability with which a token drawn from the model is
    /// accepted in place of one drawn from the teacher (Leviathan et al. 2023, Theorem 3.5).
    pub overlap: f64,
    /// KL(t ‖ s) in nats, summed.
    pub divergence: f64,
}

impl Likeness {
    pub(super) fn add(&mut self, other: &Self) {
        self.tokens += other.tokens;
        self.same += other.same;
        self.overlap += other.overlap;
        self.divergence += other.divergence;
    }

    /// That of the rows of logits of `student` and `teacher` that have a target.
    pub(super) fn of(student: &[f32], teacher: &[f32], targets: &[u32]) -> Self {
        let vocabulary = student.len() / targets.len();
        let rows = student.chunks_exact(vocabulary);
        let rows = rows.zip(teacher.chunks_exact(vocabulary)).zip(targets);
        let mut all = Self::default();
        for ((student, teacher), &target) in rows {
            if target == NO_TARGET {
                continue;
            }
            let (s, t) = (log_probabilities(student), log_probabilities(teacher));
            all.tokens += 1;
            all.same += u64::from(highest(student) == highest(teacher));
            for (s, t) in s.iter().zip(&t) {
                all.overlap += libm::exp(s.min(*t));
                all.divergence += libm::exp(*t) * (t - s);
            }
        }
        all
    }
}

/// ln softmax(z) of one row.
fn log_probabilities(row: &[f32]) -> Vec<f64> {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let most = f64::from(most);
    let sum: f64 = row.iter().map(|&z| libm::exp(f64::from(z) - most)).sum();
    let log_sum = most + libm::log(sum);
    row.iter().map(|&z| f64::from(z) - log_sum).collect()
}

/// The first of the greatest.
fn highest(row: &[f32]) -> usize {
    let mut best = 0;
    for (index, z) in row.iter().enumerate() {
        if *z > row[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_of_two_small_distributions_is_what_paper_and_pencil_say() {
        // t = (0.8, 0.2), s = (0.5, 0.5): overlap 0.7, KL = 0.8 ln 1.6 + 0.2 ln 0.4.
        let teacher = [libm::logf(0.8), libm::logf(0.2), 9.0, 0.0];
        let student = [1.0, 1.0, 0.0, 9.0];
        let told = Likeness::of(&student, &teacher, &[1, NO_TARGET]);
        assert_eq!((told.tokens, told.same), (1, 1));
        assert!((told.overlap - 0.7).abs() < 1e-6, "{told:?}");
        let expected = 0.8 * f64::ln(1.6) + 0.2 * f64::ln(0.4);
        assert!((told.divergence - expected).abs() < 1e-6, "{told:?}");
    }
}
