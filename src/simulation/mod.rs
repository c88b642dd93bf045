//! Run and sweep: a scenario in, a run folder out.
