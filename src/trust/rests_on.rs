//! What a metric rests on.

/// Something that metrics are worked out from and that may be known well or badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The time in which devices decode: weights, overheads.
    Compute,
    /// The time in which they read prompts.
    Prefill,
    /// The time that context adds.
    Context,
    /// The time that messages and all-reduces take.
    Links,
    /// What devices draw.
    Power,
    /// What an analog channel does to tensors.
    Channel,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Compute,
        Self::Prefill,
        Self::Context,
        Self::Links,
        Self::Power,
        Self::Channel,
    ];

    /// Its name, as `metrics.json` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Prefill => "prefill",
            Self::Context => "context",
            Self::Links => "links",
            Self::Power => "power",
            Self::Channel => "channel",
        }
    }

    /// The source of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The sources of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestsOn(u8);

impl RestsOn {
    /// Nothing: counts, shapes, and what the scenario itself says.
    pub const NOTHING: Self = Self(0);
    /// Tensors, and what the channel did to them.
    pub const TENSORS: Self = Self(Source::Channel.bit());
    /// Computing alone, without long prompts.
    pub const COMPUTE: Self = Self(Source::Compute.bit() | Source::Context.bit());
    /// Transfers alone.
    pub const LINKS: Self = Self(Source::Links.bit());
    /// The time of decode steps.
    pub const STEPS: Self = Self(Self::COMPUTE.0 | Self::LINKS.0);
    /// The time of prompts and first tokens.
    pub const PROMPTS: Self = Self(Source::Compute.bit() | Source::Prefill.bit() | Self::LINKS.0);
    /// Times of everything.
    pub const TIME: Self = Self(Self::STEPS.0 | Self::PROMPTS.0);
    /// Joules: power times time.
    pub const ENERGY: Self = Self(Self::TIME.0 | Source::Power.bit());

    /// Whether `source` is among them.
    pub fn has(self, source: Source) -> bool {
        self.0 & source.bit() != 0
    }

    /// All of them, in order.
    pub fn sources(self) -> impl Iterator<Item = Source> {
        Source::ALL
            .into_iter()
            .filter(move |source| self.has(*source))
    }
}
