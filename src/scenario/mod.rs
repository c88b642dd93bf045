//! Scenarios: what to simulate, as a file that people write and read.
//!
//! A scenario is RON, or the same in JSON. [`load`] reads it, puts overrides in place, decodes it into a
//! [`Scenario`], checks the rules that span fields, and returns a [`Resolved`] one
//! with every default filled in. [`points`] expands its sweep.
//!
//! ```text
//! file ─▶ raw tree ─▶ overrides ─▶ Scenario ─▶ rules ─▶ Resolved ─▶ points
//!          syntax      paths       fields,      across    profiles,
//!                                  values       fields    shares
//! ```
//!
//! Each step may find faults and words them as [`Fault`]s, which know the place in
//! the file or the override they come from. Nothing here may simulate, open a model's
//! weights, or write a file. The fields' own meaning lives with the rooms that use
//! them; this room composes their types.

mod arrivals;
mod draft;
mod fault;
pub mod fields;
mod json;
mod literal;
mod missing;
mod model;
mod moved;
mod overrides;
mod range;
pub mod raw;
mod resolved;
mod rules;
mod schema;
mod sweep;
mod system;
mod template;
mod warnings;
mod workload;

pub use arrivals::{Arrivals, Prompts, Recorded, WorldPrompts};
pub use fault::{Fault, Location, ScenarioError};
pub use literal::Literal;
pub use model::{CacheFormat, Model, Precision, ShapeSource, WeightFormat, WeightGroups};
pub use overrides::{Override, OverrideError};
pub use range::{Range, Scale};
pub use resolved::{Resolved, load, model_of, parse, parse_with_model};
pub use schema::{Scenario, Trace};
pub use sweep::{
    Axis, Better, Changes, Column, Configurations, Figure, Heading, LoadCurve, Point, Publication,
    SpeedUp, Sweep, Table, Tradeoff, points, sweep_of,
};
pub use template::Template;
pub use workload::{Arrival, Choose, Generate, Request, Score, Text, Tokens, WorldText};
