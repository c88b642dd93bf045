//! How deep a token went through a model with exits.

/// A decoded token of a replica whose decoding leaves at exits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExitRecord {
    /// The request.
    pub request: u32,
    /// The pass within its request.
    pub step: u32,
    /// Layers that it went through.
    pub layers: u32,
    /// Layers of the model.
    pub of_layers: u32,
    /// p₁ − p₂ at the exit that it took; `None` if it took none.
    pub margin: Option<f64>,
    /// Whether the layers that it skipped would have chosen the same token.
    pub agrees: bool,
    /// −ln p of the token, by whoever chose it.
    pub nats: f64,
    /// The same by the whole model, after the same text with the same cache.
    pub whole_nats: f64,
}
