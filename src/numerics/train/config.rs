//! What is trained and how: the defaults are the recipes of the bundled models.

use std::path::PathBuf;

use super::TrainError;
use crate::corpus::World;

/// The sparse blocks of a Mixtral.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpertsConfig {
    /// Experts per layer.
    pub count: usize,
    /// Experts that each token goes to.
    pub active: usize,
    /// Weight of the load-balancing loss beside a nat per token.
    pub balance: f64,
}

/// The shape of the network to train: a LLaMA, or with experts a Mixtral.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkConfig {
    /// Width of the residual stream.
    pub hidden: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Attention heads, each `hidden / heads` wide.
    pub heads: usize,
    /// Columns of the SwiGLU block, or of each expert.
    pub ffn: usize,
    /// The experts of a Mixtral; none make it a LLaMA.
    pub experts: Option<ExpertsConfig>,
    /// Base θ of the rotary embedding.
    pub rope_theta: f64,
    /// ε of the root-mean-square norms.
    pub norm_epsilon: f64,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            hidden: 192,
            layers: 6,
            heads: 8,
            ffn: 512,
            experts: None,
            rope_theta: 10_000.0,
            norm_epsilon: 1e-5,
        }
    }
}

/// What a student is told by its teacher, beside the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Distilling {
    /// The teacher's model folder; the student gets its tokenizer.
    pub teacher: PathBuf,
    /// λ in \[0, 1\]: the share of the teacher's probabilities in what is descended,
    /// (1 − λ) · cross-entropy of the text + λ τ² · KL(teacher ‖ student)
    /// (Hinton, Vinyals and Dean 2015, arXiv:1503.02531).
    pub share: f64,
    /// τ > 0: softens both models' probabilities; at 1 they are those that are drawn from,
    /// which a draft should imitate (Zhou et al. 2024, arXiv:2310.08461).
    pub temperature: f64,
}

/// A training run.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// The model folder to write.
    pub out: PathBuf,
    /// The network's shape.
    pub network: NetworkConfig,
    /// From whom it learns beside the text.
    pub distilling: Option<Distilling>,
    /// Seed of the world, its documents and the initial weights.
    pub seed: u64,
    /// Optimiser steps.
    pub steps: u64,
    /// Documents per step.
    pub documents: usize,
    /// How many of a step's documents are multiple-choice questions with their
    /// right answers, the suites in turn; the others are any documents.
    pub questions: usize,
    /// Parts into which a step's documents are dealt; each has a thread, and
    /// their gradients are added in order, so the result depends on this number
    /// but not on the machine's cores.
    pub shards: usize,
    /// Positions per row, and so the longest document in tokens.
    pub window: usize,
    /// The most entries the tokenizer may have.
    pub vocabulary: usize,
    /// Peak learning rate, reached after `warm_up` steps, then a cosine to zero.
    pub learning_rate: f64,
    /// Steps of linear warm-up.
    pub warm_up: u64,
    /// Decoupled weight decay of the matrices.
    pub weight_decay: f64,
    /// Decay rates of AdamW's two moments.
    pub betas: (f64, f64),
    /// Gradients of a larger norm are scaled down to it.
    pub clip: f64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Steps between evaluations on held-out documents.
    pub evaluate_every: u64,
    /// Held-out documents of the final evaluation; those on the way use an eighth.
    pub held_out: usize,
}

impl TrainConfig {
    /// The recipe of the bundled LLaMA, writing to `out`.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            out: out.into(),
            network: NetworkConfig::default(),
            distilling: None,
            seed: World::BUNDLED_SEED,
            steps: 3000,
            documents: 32,
            questions: 0,
            shards: 2,
            window: 128,
            vocabulary: 1024,
            learning_rate: 3e-3,
            warm_up: 100,
            weight_decay: 0.1,
            betas: (0.9, 0.98),
            clip: 1.0,
            checkpoint_every: 100,
            evaluate_every: 250,
            held_out: 2000,
        }
    }

    /// The recipe of the bundled Mixtral, writing to `out`.
    pub fn mixtral(out: impl Into<PathBuf>) -> Self {
        Self {
            network: NetworkConfig {
                hidden: 128,
                layers: 5,
                heads: 4,
                ffn: 192,
                experts: Some(ExpertsConfig {
                    count: 8,
                    active: 2,
                    balance: 0.02,
                }),
                ..NetworkConfig::default()
            },
            documents: 32,
            questions: 24,
            steps: 4000,
            shards: 1,
            ..Self::new(out)
        }
    }

    /// The recipe of the bundled draft, distilled from the model in `teacher`, writing to
    /// `out`.
    pub fn draft(out: impl Into<PathBuf>, teacher: impl Into<PathBuf>) -> Self {
        Self {
            network: NetworkConfig {
                hidden: 128,
                layers: 2,
                heads: 4,
                ffn: 192,
                ..NetworkConfig::default()
            },
            distilling: Some(Distilling {
                teacher: teacher.into(),
                share: 0.75,
                temperature: 1.0,
            }),
            shards: 1,
            ..Self::new(out)
        }
    }

    /// The learning rate of the step after `done` steps: linear warm-up, then
    /// ½ (1 + cos πx) of the peak, x the fraction done of the rest.
    pub fn rate_after(&self, done: u64) -> f64 {
        if done < self.warm_up {
            return self.learning_rate * (done + 1) as f64 / self.warm_up as f64;
        }
        let rest = self.steps.saturating_sub(self.warm_up).max(1);
        let x = (done - self.warm_up) as f64 / rest as f64;
        self.learning_rate * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * x.min(1.0)))
    }

    /// Refuses shapes and rates that cannot be trained.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let fault = |field, fault: String| Err(TrainError::Config { field, fault });
        let network = &self.network;
        for (field, value) in [
            ("hidden", network.hidden),
            ("layers", network.layers),
            ("heads", network.heads),
            ("ffn", network.ffn),
            ("documents", self.documents),
            ("shards", self.shards),
            ("window", self.window),
            ("held_out", self.held_out),
        ] {
            if value == 0 {
                return fault(field, "is 0; give at least 1".to_owned());
            }
        }
        if !network.hidden.is_multiple_of(2 * network.heads) {
            return fault(
                "heads",
                format!(
                    "{} heads do not divide a hidden size of {} into even widths, \
                     which the rotary embedding needs",
                    network.heads, network.hidden
                ),
            );
        }
        if let Some(experts) = &network.experts {
            if experts.active == 0 || experts.active > experts.count {
                return fault(
                    "active",
                    format!(
                        "{} of {count} experts cannot be active; give 1 to {count}",
                        experts.active,
                        count = experts.count
                    ),
                );
            }
            if !(experts.balance.is_finite() && experts.balance >= 0.0) {
                return fault(
                    "balance",
                    format!("{} is not a number of at least 0", experts.balance),
                );
            }
        }
        if let Some(distilling) = &self.distilling {
            if network.experts.is_some() {
                return fault(
                    "teacher",
                    "it teaches a LLaMA; leave out --architecture mixtral".to_owned(),
                );
            }
            if !(0.0..=1.0).contains(&distilling.share) {
                let told = distilling.share;
                return fault("teacher_share", format!("{told} is not within 0 to 1"));
            }
            let told = distilling.temperature;
            if !(told.is_finite() && told > 0.0) {
                return fault("temperature", format!("{told} is not a positive number"));
            }
        }
        if self.questions > self.documents {
            return fault(
                "questions",
                format!(
                    "{} questions are more than the {} documents of a step",
                    self.questions, self.documents
                ),
            );
        }
        if self.documents < self.shards {
            return fault(
                "documents",
                format!(
                    "{} documents cannot feed {} shards",
                    self.documents, self.shards
                ),
            );
        }
        for (field, value) in [
            ("steps", self.steps),
            ("checkpoint_every", self.checkpoint_every),
            ("evaluate_every", self.evaluate_every),
        ] {
            if value == 0 {
                return fault(field, "is 0; give at least 1".to_owned());
            }
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return fault(
                "learning_rate",
                format!("{} is not a positive number", self.learning_rate),
            );
        }
        Ok(())
    }

    /// What a checkpoint must agree with to be resumed, as text; of a teacher that is what its
    /// files hold, wherever they lie.
    pub(super) fn fingerprint(&self, teacher: Option<&str>) -> String {
        let distilling = self.distilling.clone().map(|distilling| Distilling {
            teacher: teacher.unwrap_or_default().into(),
            ..distilling
        });
        let comparable = Self {
            out: PathBuf::new(),
            distilling,
            checkpoint_every: 1,
            evaluate_every: 1,
            held_out: 1,
            ..self.clone()
        };
        blake3::hash(format!("{comparable:?}").as_bytes())
            .to_hex()
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_warms_up_linearly_and_falls_to_nothing() {
        let config = TrainConfig {
            steps: 1100,
            warm_up: 100,
            learning_rate: 2.0,
            ..TrainConfig::new("")
        };
        assert_eq!(config.rate_after(49), 1.0);
        assert_eq!(config.rate_after(100), 2.0);
        assert!((config.rate_after(600) - 1.0).abs() < 1e-12);
        assert!(config.rate_after(1100) < 1e-12);
    }

    #[test]
    fn impossible_shapes_are_refused_by_name() {
        let mut config = TrainConfig::new("");
        config.network.heads = 7;
        let message = config.check().unwrap_err().to_string();
        assert!(message.contains("heads"), "{message}");
        let mut config = TrainConfig::new("");
        config.learning_rate = f64::NAN;
        let message = config.check().unwrap_err().to_string();
        assert!(message.contains("learning_rate"), "{message}");
    }
}
