//! Why a run took as long as it did: the critical path, waiting, and what a faster
//! part is worth, on a log whose answers are known and on random runs of the engine.

mod browser;
mod known;
mod laws;
mod page;
mod trace;
