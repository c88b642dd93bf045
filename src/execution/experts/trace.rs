//! Gate weights from a file: what a real router said of a real text.
//!
//! A CSV file with the header `block,token,w0,w1,…`: the block (layer) from 0, the token's
//! place in its sequence from 0, and the softmax weight of every expert, each row's sum 1.
//! Rows may come in any order, each (block, token) once. Every sequence of a run reads the
//! same trace from its first token.

use crate::execution::network::{GateSequence, GateSource};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far a row's sum may be off 1: what rounding to three digits does to eight weights.
const ROUNDING: f64 = 4e-3;

/// What is wrong with a trace.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// A line that cannot be read.
    #[error("{file}:{line}: {fault}")]
    Line {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong, and the fix.
        fault: String,
    },
    /// A token that the trace does not have.
    #[error(
        "{file}: there is no row for block {block}, token {token}, which the run needs; record a longer text, or ask for fewer tokens"
    )]
    Missing {
        /// The file.
        file: String,
        /// The block.
        block: usize,
        /// The token.
        token: usize,
    },
}

/// The weights of a recorded sequence.
#[derive(Debug, Clone)]
pub struct GateTrace {
    file: String,
    experts: usize,
    rows: Arc<BTreeMap<(usize, usize), Vec<f32>>>,
}

impl GateTrace {
    /// Reads the `text` of a file that errors call `file`, for a model with `experts`
    /// experts and `layers` blocks.
    ///
    /// # Errors
    /// The first line that is no row, with what is wrong and the fix.
    pub fn parse(
        file: &str,
        text: &[u8],
        layers: usize,
        experts: usize,
    ) -> Result<Self, TraceError> {
        let fail = |line: u64, fault: String| {
            Err(TraceError::Line {
                file: file.to_owned(),
                line,
                fault,
            })
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect(),
            Err(error) => return fail(1, error.to_string()),
        };
        let names = (0..experts).map(|expert| format!("w{expert}"));
        let expected: Vec<String> = ["block".to_owned(), "token".to_owned()]
            .into_iter()
            .chain(names)
            .collect();
        if header != expected {
            let fault = format!(
                "the header is `{}`; for this model write `{}`",
                header.join(","),
                expected.join(",")
            );
            return fail(1, fault);
        }
        let mut rows = BTreeMap::new();
        for (number, record) in reader.records().enumerate() {
            let record = match record {
                Ok(record) => record,
                Err(error) => return fail(number as u64 + 2, error.to_string()),
            };
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != expected.len() {
                let fault = format!("{} fields; write {}", record.len(), expected.len());
                return fail(line, fault);
            }
            let index = |column: usize| record[column].trim().parse::<usize>();
            let (Ok(block), Ok(token)) = (index(0), index(1)) else {
                let fault = format!("`{},{}` is no block and token", &record[0], &record[1]);
                return fail(line, fault);
            };
            if block >= layers {
                let fault = format!("block {block}; the model has {layers}, counted from 0");
                return fail(line, fault);
            }
            let mut weights = Vec::with_capacity(experts);
            for (name, field) in expected.iter().zip(record.iter()).skip(2) {
                match field.trim().parse::<f32>() {
                    Ok(weight) if weight.is_finite() && weight >= 0.0 => weights.push(weight),
                    _ => {
                        let fault = format!("{name} is `{field}`; write a number from 0 to 1");
                        return fail(line, fault);
                    }
                }
            }
            let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
            if (sum - 1.0).abs() > ROUNDING {
                let fault = format!("the weights sum to {sum:.4}; they are a softmax, so to 1");
                return fail(line, fault);
            }
            if rows.insert((block, token), weights).is_some() {
                let fault = format!("block {block}, token {token} is there twice; remove one");
                return fail(line, fault);
            }
        }
        Ok(Self {
            file: file.to_owned(),
            experts,
            rows: Arc::new(rows),
        })
    }
}

impl GateSource for GateTrace {
    fn sequence(&self, _: u64) -> Box<dyn GateSequence> {
        Box::new(self.clone())
    }
}

impl GateSequence for GateTrace {
    fn weights(
        &mut self,
        layer: usize,
        position: usize,
        tokens: usize,
    ) -> Result<Vec<f32>, TraceError> {
        self.foresee(layer, position, tokens)
    }

    fn foresee(
        &self,
        layer: usize,
        position: usize,
        tokens: usize,
    ) -> Result<Vec<f32>, TraceError> {
        let mut weights = Vec::with_capacity(tokens * self.experts);
        for token in position..position + tokens {
            let row = self.rows.get(&(layer, token));
            weights.extend(row.ok_or_else(|| TraceError::Missing {
                file: self.file.clone(),
                block: layer,
                token,
            })?);
        }
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GateTrace, TraceError> {
        GateTrace::parse("gate.csv", text.as_bytes(), 2, 3)
    }

    #[test]
    fn rows_are_found_by_block_and_token_in_any_order() {
        let text = "block,token,w0,w1,w2\n1,0,0.5,0.5,0\n0,1,0.1,0.2,0.7\n0,0,1,0,0\n";
        let mut trace = parse(text).unwrap();
        let first = trace.weights(0, 0, 2).unwrap();
        assert_eq!(first, [1.0, 0.0, 0.0, 0.1, 0.2, 0.7]);
        let missing = trace.weights(1, 0, 2).unwrap_err().to_string();
        assert!(missing.contains("block 1, token 1"), "{missing}");
    }

    #[test]
    fn a_bad_line_is_named() {
        let head = "block,token,w0,w1,w2\n0,0,1,0,0\n";
        for (line, word) in [
            ("0,1,0.5,0.5", "gate.csv:3: 4 fields; write 5"),
            ("0,x,1,0,0", "gate.csv:3: `0,x` is no block and token"),
            ("2,0,1,0,0", "gate.csv:3: block 2; the model has 2"),
            ("0,1,0.5,heavy,0", "gate.csv:3: w1 is `heavy`"),
            ("0,1,0.5,-0.5,1", "gate.csv:3: w1 is `-0.5`"),
            ("0,1,0.5,0.1,0.1", "gate.csv:3: the weights sum to 0.7000"),
            ("0,0,1,0,0", "gate.csv:3: block 0, token 0 is there twice"),
        ] {
            let error = parse(&format!("{head}{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with(word), "{error}");
        }
        let header = parse("layer,token\n").unwrap_err().to_string();
        assert!(header.contains("gate.csv:1") && header.contains("block,token,w0,w1,w2"));
    }
}
