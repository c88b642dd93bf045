//! What a finished sweep publishes: tables and figures, beside the numbers of a paper.
//!
//! ```text
//! publish: [
//!     Table(file: "table1", metric: "tpot_s", unit: "ms", published: [12.3, None, 4.5, 6.7]),
//!     Changes(file: "table1_changes", metric: "tpot_s", along: "scheme", from: "digital",
//!             published_in: "table1"),
//!     Figure(file: "figure2a", metric: "all_reduce_mse", over: "devices", scale: Log),
//!     Tradeoff(file: "pareto", x: "e2e_latency_s", y: "perplexity", by: "scheme"),
//!     SpeedUp(file: "gain", metric: "tpot_s", along: "decoding", from: "plain", over: "delay"),
//!     LoadCurve(file: "knee", metric: "ttft_p95_s", unit: "ms", over: "rate"),
//! ]
//! ```
//!
//! Here the fields are checked that depend on the sweep alone. Which metrics there are, and in
//! which units, the results know: [`crate::results::publish`] checks those and writes the files.

use crate::scenario::range::Scale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One table or figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Publication {
    /// One metric at every configuration.
    Table(Table),
    /// How much one metric changes along one axis.
    Changes(Changes),
    /// One metric over one axis.
    Figure(Figure),
    /// One metric against another.
    Tradeoff(Tradeoff),
    /// How many times less a metric is than at one label of an axis.
    SpeedUp(SpeedUp),
    /// A latency against the load, with the knee.
    LoadCurve(LoadCurve),
}

/// One metric at every configuration of the sweep, as `<file>.csv` and `<file>.md`.
///
/// The CSV has a column per axis, `paper_<unit>`, `ours_<unit>` (the mean over the runs), with
/// more than one run `ours_ci95_<unit>` (half the width of its 95 % confidence interval),
/// `rel_error` = ours/paper − 1, and `note`: why ours is missing, or how many of the runs it
/// stands on. The Markdown shows the same and closes with the number of compared cells and the
/// mean and the worst |rel_error|.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The files' name, without ending.
    pub file: String,
    /// The heading. Default: what the metric means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The metric's name, such as `tpot_s`.
    pub metric: String,
    /// The unit to write it in, such as `ms`. Default: the metric's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The published numbers in that unit, one per configuration in the sweep's order, the last
    /// axis fastest; `None` where the source has none. Default: no comparison.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<Option<f64>>,
}

/// The relative change m(l)/m(from) − 1 in per cent of a metric's mean m along one axis, for each
/// other label l of it and each configuration of the other axes, and its mean over those, as
/// `<file>.csv` and `<file>.md`.
///
/// The CSV has a column per axis, `paper_%`, `ours_%`, `difference_pp` (ours − paper in
/// percentage points) and `note`. A reduction is negative. The mean is over the cells that have
/// both numbers, or over ours where nothing is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The files' name, without ending.
    pub file: String,
    /// The heading. Default: what the metric means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The metric's name, such as `e2e_latency_s`.
    pub metric: String,
    /// The name of the axis.
    pub along: String,
    /// Its label that the others are compared with.
    pub from: String,
    /// The published changes in per cent, one per configuration other than those at `from`, in
    /// the sweep's order. Default: none, or those of `published_in`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<Option<f64>>,
    /// The file of a `Table` of the same metric: changes are computed from its published numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_in: Option<String>,
    /// The published means in per cent, one per label other than `from`, where they are not the
    /// means of the published changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published_mean: Vec<Option<f64>>,
    /// Whether the mean over the other axes is told. Default: true; where they list unlike
    /// assumptions it means nothing.
    #[serde(default = "told")]
    pub mean: bool,
}

fn told() -> bool {
    true
}

/// One metric over one axis, a line per configuration of the others, as `<file>.svg`, one column
/// (88 mm) wide, and `<file>.csv`: a column per axis, the mean, with more than one run half the
/// width of its 95 % confidence interval, and `note`.
///
/// Lines differ in marker, dash and colour. An axis that holds no numbers is drawn by label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The files' name, without ending.
    pub file: String,
    /// The metric's name, such as `all_reduce_mse`.
    pub metric: String,
    /// The unit to draw it in. Default: the metric's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The name of the axis that is drawn to the right.
    pub over: String,
    /// How the axis to the right is spaced. Default: as its range is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// How the metric is spaced. Default: logarithmically if it spans a factor of 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_scale: Option<Scale>,
    /// What stands above. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What stands along the axis to the right. Default: its name and unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What stands along the upward axis, its unit aside. Default: the metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_label: Option<String>,
    /// The published numbers in the figure's unit, one per configuration in the sweep's order:
    /// drawn as hollow marks, and a column `paper_<unit>` of the CSV. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<Option<f64>>,
}

/// One metric against another, one mark per configuration and the Pareto front, as `<file>.svg`
/// and `<file>.csv`: a column per axis, both means, with more than one run half the widths of
/// their 95 % confidence intervals, `pareto` (`yes` or `no`) and `note`.
///
/// A configuration is on the front if no other is at least as good in both metrics and better in
/// one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tradeoff {
    /// The files' name, without ending.
    pub file: String,
    /// The name of the metric that is drawn to the right.
    pub x: String,
    /// The name of the metric that is drawn upwards.
    pub y: String,
    /// The unit of x. Default: the metric's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_unit: Option<String>,
    /// The unit of y. Default: the metric's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_unit: Option<String>,
    /// How x is spaced. Default: logarithmically if it spans a factor of 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_scale: Option<Scale>,
    /// How y is spaced. Default: logarithmically if it spans a factor of 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_scale: Option<Scale>,
    /// Which x is better. Default: the lower one.
    #[serde(default)]
    pub x_better: Better,
    /// Which y is better. Default: the lower one.
    #[serde(default)]
    pub y_better: Better,
    /// The name of the axis whose labels have marks of their own. Default: the first axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What stands above. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What stands along the axis to the right, its unit aside. Default: the metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_label: Option<String>,
    /// What stands along the upward axis, its unit aside. Default: the metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_label: Option<String>,
}

/// A latency upwards over the load that was served, to the right, as `<file>.svg`, one column (88
/// mm) wide, and `<file>.csv`: a line per configuration of the other axes, along which the
/// offered load grows. The CSV has a column per axis, both means, with more than one run half the
/// widths of their 95 % confidence intervals, `power` = load/latency, `knee` (`yes` or `no`) and
/// `note`.
///
/// The knee of a line is where its power is largest (L. Kleinrock, "Power and deterministic rules
/// of thumb for probabilistic problems in computer communications", ICC 1979): up to there load
/// costs little latency, beyond it much. It is drawn larger and hollow; a line whose power is
/// largest at one of its ends has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadCurve {
    /// The files' name, without ending.
    pub file: String,
    /// The name of the axis along which the offered load grows.
    pub over: String,
    /// The latency's name. Default: e2e_latency_p95_s.
    #[serde(default = "usual_latency")]
    pub metric: String,
    /// The unit to draw it in. Default: the metric's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The metric that tells of the load. Default: requests_per_s.
    #[serde(default = "usual_load")]
    pub load: String,
    /// The unit of the load. Default: the metric's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_unit: Option<String>,
    /// How the latency is spaced. Default: logarithmically if it spans a factor of 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_scale: Option<Scale>,
    /// What stands above. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What stands along the axis to the right, its unit aside. Default: the metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What stands along the upward axis, its unit aside. Default: the metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_label: Option<String>,
}

fn usual_latency() -> String {
    "e2e_latency_p95_s".to_owned()
}

fn usual_load() -> String {
    "requests_per_s".to_owned()
}

/// The speed-up m(from)/m(l) of a metric m, such as a time, along one axis: how many times less it is
/// at each other label l than at `from`, over another axis, a line per configuration of the others,
/// as `<file>.svg` and `<file>.csv`: a column per axis, `speed_up`, with more than one run half the
/// width of its 95 % confidence interval, and `note`. A grey line stands at 1: what is above it pays.
///
/// Runs are compared one by one, since those of the same number meet the same weather, and the mean is
/// that of their ratios.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeedUp {
    /// The files' name, without ending.
    pub file: String,
    /// The metric's name, such as `tpot_s`.
    pub metric: String,
    /// The name of the axis whose labels are compared.
    pub along: String,
    /// Its label that the others are compared with.
    pub from: String,
    /// The name of the axis that is drawn to the right.
    pub over: String,
    /// How the axis to the right is spaced. Default: as its range is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// How the speed-up is spaced. Default: logarithmically if it spans a factor of 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_scale: Option<Scale>,
    /// What stands above. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What stands along the axis to the right. Default: its name and unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What stands along the upward axis. Default: "speed-up" and the label `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_label: Option<String>,
}

/// Which of two numbers is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Better {
    /// Less is better, as of a latency.
    #[default]
    Lower,
    /// More is better, as of an accuracy.
    Higher,
}

impl Publication {
    /// Its files' name, without ending.
    pub fn file(&self) -> &str {
        match self {
            Self::Table(table) => &table.file,
            Self::Changes(changes) => &changes.file,
            Self::Figure(figure) => &figure.file,
            Self::Tradeoff(tradeoff) => &tradeoff.file,
            Self::SpeedUp(gain) => &gain.file,
            Self::LoadCurve(curve) => &curve.file,
        }
    }
}
