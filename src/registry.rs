//! What a scenario chooses by name: an enumeration of the types that implement one trait.

/// Declares `$choice`, whose variants are the listed types, with or without fields of their
/// own; `$get` gives what was chosen as the trait that all of them implement. A new one is
/// one line: its name and what it is.
macro_rules! registry {
    (
        $(#[$meta:meta])*
        enum $choice:ident;
        $(#[$get_meta:meta])*
        fn $get:ident -> $trait:ident;
        without fields { $($(#[$unit_meta:meta])* $unit:ident, $unit_summary:literal;)* }
        with fields { $($name:ident, $summary:literal;)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub enum $choice {
            $(#[doc = $unit_summary] $(#[$unit_meta])* $unit,)*
            $(#[doc = $summary] $name($name),)*
        }

        impl $choice {
            /// The name of every choice with a one-line summary.
            pub const REGISTRY: &[(&str, &str)] = &[
                $((stringify!($unit), $unit_summary),)*
                $((stringify!($name), $summary),)*
            ];

            /// Its name, as a scenario writes it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$unit => stringify!($unit),)*
                    $(Self::$name(_) => stringify!($name),)*
                }
            }

            $(#[$get_meta])*
            pub fn $get(&self) -> &dyn $trait {
                match self {
                    $(Self::$unit => &$unit,)*
                    $(Self::$name(fields) => fields,)*
                }
            }
        }
    };
}

pub(crate) use registry;
