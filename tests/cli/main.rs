//! The command line, driven as a user drives it: the real program, in an empty
//! folder of its own, judged by what it prints, how it exits and what it leaves.

mod bad_input;
mod bad_place;
mod channel;
mod check;
mod columns;
mod compare;
mod completions;
mod desk;
mod documents;
mod explain;
mod fields;
mod help;
mod interrupt;
mod machines;
mod man;
mod merge;
mod model_files;
mod new;
mod plot;
mod publish;
mod replay;
mod run;
mod sweep;
mod sweep_again;
mod terminal;
mod tiny_model;
mod together;
mod warnings;
mod whole;
