//! The stages of a pass, in the order in which they happen: the `stage` column of
//! `events.csv`.

macro_rules! stages {
    ($($name:ident $text:literal),* $(,)?) => {
        /// What part of a pass a task is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub(super) enum Stage { $($name),* }

        /// The stages' names, by their number in a task's key.
        pub const STAGE_NAMES: &[&str] = &[$($text),*];

        impl Stage {
            const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

stages! {
    Arrival "arrival",
    Attend "attention_and_gate",
    Downlink "token_downlink",
    Expert "expert",
    Uplink "token_uplink",
    Gather "expert_gather",
    Sample "sample",
}

impl Stage {
    pub(super) fn of(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    pub(super) fn code(self) -> u16 {
        self as u16
    }
}
