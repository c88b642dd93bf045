//! The log of a training run: losses by step.

/// Training loss of a few steps.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LossRow {
    /// The last of the steps.
    pub step: u64,
    /// Predicted tokens so far.
    pub tokens: u64,
    /// Learning rate of that step.
    pub rate: f64,
    /// Mean nats per predicted token over the steps since the last row.
    pub nats: f64,
}

/// An evaluation on the way.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HeldOutRow {
    /// After which step.
    pub step: u64,
    /// The model's nats per token.
    pub model: f64,
    /// The generator's own.
    pub generator: f64,
}

/// All rows so far.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Log {
    /// By step.
    pub losses: Vec<LossRow>,
    /// By step.
    pub held_out: Vec<HeldOutRow>,
}

impl Log {
    /// `step,tokens,learning_rate,train_nats_per_token,held_out_nats_per_token,
    /// generator_nats_per_token`; the last two only where there was an evaluation.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "step,tokens,learning_rate,train_nats_per_token,\
             held_out_nats_per_token,generator_nats_per_token\n",
        );
        for row in &self.losses {
            let held_out = self.held_out.iter().find(|other| other.step == row.step);
            let (model, generator) = held_out.map_or_else(Default::default, |held_out| {
                (
                    format!("{:.5}", held_out.model),
                    format!("{:.5}", held_out.generator),
                )
            });
            text.push_str(&format!(
                "{},{},{:.3e},{:.5},{model},{generator}\n",
                row.step, row.tokens, row.rate, row.nats
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_per_loss_and_held_out_columns_where_evaluated() {
        let loss = |step, nats| LossRow {
            step,
            tokens: step * 100,
            rate: 1e-3,
            nats,
        };
        let log = Log {
            losses: vec![loss(10, 2.0), loss(20, 1.5)],
            held_out: vec![HeldOutRow {
                step: 20,
                model: 1.25,
                generator: 0.5,
            }],
        };
        let csv = log.csv();
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        assert_eq!(
            rows,
            [
                "10,1000,1.000e-3,2.00000,,",
                "20,2000,1.000e-3,1.50000,1.25000,0.50000"
            ]
        );
    }
}
