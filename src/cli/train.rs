//! `airloom train`: trains a bundled model, or another of its kind.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::tell;
use crate::figures::format::svg;
use crate::figures::{Width, training};
use crate::numerics::train::{
    Distilling, Evaluation, ExitsConfig, ExpertsConfig, NetworkConfig, Observer, Outcome, Progress,
    TrainConfig, TrainError, train, train_exits,
};
use crate::whole::Files;

/// What to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Recipe {
    /// A LLaMA: models/tiny-llama
    Llama,
    /// A Mixtral: models/tiny-mixtral
    Mixtral,
}

/// Train a LLaMA or a Mixtral on text of the bundled world; the defaults are the
/// recipes of models/tiny-llama and models/tiny-mixtral. A run that was stopped
/// goes on where it was.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom train --out models/mine\n  \
    airloom train --architecture mixtral --out models/two\n  \
    airloom train --teacher models/tiny-llama --out models/small\n  \
    airloom train --exits 2,4 --out models/mine")]
#[command(mut_args(with_default))]
pub struct TrainArgs {
    /// Architecture, and with it the recipe
    #[arg(long, value_enum, default_value = "llama")]
    pub architecture: Recipe,
    /// Distil a smaller LLaMA from the model in this folder, whose tokenizer it gets; the
    /// recipe is that of models/tiny-llama-draft
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub teacher: Option<PathBuf>,
    /// Share of the teacher's probabilities in the loss, 0 to 1; the rest is the text's
    #[arg(long, value_name = "SHARE", requires = "teacher")]
    pub teacher_share: Option<f64>,
    /// Softens the probabilities of teacher and student; 1 leaves them as they are
    #[arg(long, requires = "teacher")]
    pub temperature: Option<f64>,
    /// Train exits after so many layers, such as 2,4, for the model that lies in --out already
    #[arg(
        long,
        value_name = "LAYERS",
        value_delimiter = ',',
        conflicts_with_all = ["teacher", "architecture", "questions", "shards", "hidden", "layers",
            "heads", "ffn", "experts", "active", "balance", "vocabulary", "checkpoint_every"]
    )]
    pub exits: Vec<usize>,
    /// Rank of each exit's change of basis [default: 48]
    #[arg(long, requires = "exits")]
    pub rank: Option<usize>,
    /// Model folder to write
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: PathBuf,
    /// Seed of the world, its documents and the initial weights
    #[arg(long)]
    pub seed: Option<u64>,
    /// Optimiser steps
    #[arg(long)]
    pub steps: Option<u64>,
    /// Documents per step
    #[arg(long)]
    pub documents: Option<usize>,
    /// How many of them are multiple-choice questions with their right answers
    #[arg(long)]
    pub questions: Option<usize>,
    /// Parts of a step, each with a thread; the result depends on it
    #[arg(long)]
    pub shards: Option<usize>,
    /// Peak learning rate
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,
    /// Width of the residual stream
    #[arg(long)]
    pub hidden: Option<usize>,
    /// Transformer blocks
    #[arg(long)]
    pub layers: Option<usize>,
    /// Attention heads
    #[arg(long)]
    pub heads: Option<usize>,
    /// Columns of the SwiGLU block, or of each expert
    #[arg(long)]
    pub ffn: Option<usize>,
    /// Experts per layer of a Mixtral
    #[arg(long)]
    pub experts: Option<usize>,
    /// Experts that each token of a Mixtral goes to
    #[arg(long)]
    pub active: Option<usize>,
    /// Weight of a Mixtral's load-balancing loss
    #[arg(long, value_name = "WEIGHT")]
    pub balance: Option<f64>,
    /// The most entries the tokenizer may have
    #[arg(long, conflicts_with = "teacher")]
    pub vocabulary: Option<usize>,
    /// Held-out documents of the final evaluation
    #[arg(long, value_name = "DOCUMENTS")]
    pub held_out: Option<usize>,
    /// Steps between checkpoints
    #[arg(long, value_name = "STEPS")]
    pub checkpoint_every: Option<u64>,
}

/// What is told of a setting, by its argument.
type Told = (&'static str, fn(&TrainConfig) -> Option<String>);

/// The settings that a recipe decides where no argument does.
const SETTINGS: &[Told] = &[
    ("teacher_share", |config| {
        Some(config.distilling.as_ref()?.share.to_string())
    }),
    ("temperature", |config| {
        Some(config.distilling.as_ref()?.temperature.to_string())
    }),
    ("seed", |config| Some(config.seed.to_string())),
    ("steps", |config| Some(config.steps.to_string())),
    ("documents", |config| Some(config.documents.to_string())),
    ("questions", |config| Some(config.questions.to_string())),
    ("shards", |config| Some(config.shards.to_string())),
    ("learning_rate", |config| {
        Some(config.learning_rate.to_string())
    }),
    ("hidden", |config| Some(config.network.hidden.to_string())),
    ("layers", |config| Some(config.network.layers.to_string())),
    ("heads", |config| Some(config.network.heads.to_string())),
    ("ffn", |config| Some(config.network.ffn.to_string())),
    ("experts", |config| {
        Some(config.network.experts.as_ref()?.count.to_string())
    }),
    ("active", |config| {
        Some(config.network.experts.as_ref()?.active.to_string())
    }),
    ("balance", |config| {
        Some(config.network.experts.as_ref()?.balance.to_string())
    }),
    ("vocabulary", |config| Some(config.vocabulary.to_string())),
    ("held_out", |config| Some(config.held_out.to_string())),
    ("checkpoint_every", |config| {
        Some(config.checkpoint_every.to_string())
    }),
];

/// The argument, its help with what the recipes take where it is left out.
fn with_default(argument: clap::Arg) -> clap::Arg {
    let setting = SETTINGS.iter().find(|(name, _)| argument.get_id() == *name);
    let Some((_, of)) = setting else {
        return argument;
    };
    let others = [
        ("of a Mixtral", TrainConfig::mixtral(PathBuf::new())),
        (
            "with a teacher",
            TrainConfig::draft(PathBuf::new(), PathBuf::new()),
        ),
    ];
    let mut defaults: Vec<(String, String)> = Vec::new();
    let first = of(&TrainConfig::new(PathBuf::new()));
    let first = first.map(|value| (String::new(), value));
    let rest = others
        .iter()
        .filter_map(|(whose, config)| Some(((*whose).to_owned(), of(config)?)));
    for (whose, value) in first.into_iter().chain(rest) {
        if defaults.first().is_none_or(|(_, told)| *told != value) {
            defaults.push((whose, value));
        }
    }
    let mut told = defaults.iter().enumerate().map(|(place, (whose, value))| {
        if place == 0 {
            value.clone()
        } else {
            format!("{whose} {value}")
        }
    });
    let default = told.by_ref().collect::<Vec<_>>().join(", ");
    let what = argument
        .get_help()
        .map_or(String::new(), ToString::to_string);
    argument.help(format!("{what} [default: {default}]"))
}

impl TrainArgs {
    /// The settings: the bundled recipe, changed where an argument was given.
    /// Experts make a Mixtral, so the arguments about them change no LLaMA.
    pub fn resolve(self) -> TrainConfig {
        let base = match (self.architecture, self.teacher) {
            (Recipe::Mixtral, None) => TrainConfig::mixtral(self.out),
            (Recipe::Llama, None) => TrainConfig::new(self.out),
            (Recipe::Llama, Some(teacher)) => TrainConfig::draft(self.out, teacher),
            (Recipe::Mixtral, Some(teacher)) => TrainConfig {
                distilling: TrainConfig::draft(PathBuf::new(), teacher).distilling,
                ..TrainConfig::mixtral(self.out)
            },
        };
        let distilling = base.distilling.map(|distilling| Distilling {
            share: self.teacher_share.unwrap_or(distilling.share),
            temperature: self.temperature.unwrap_or(distilling.temperature),
            ..distilling
        });
        let experts = base.network.experts.map(|experts| ExpertsConfig {
            count: self.experts.unwrap_or(experts.count),
            active: self.active.unwrap_or(experts.active),
            balance: self.balance.unwrap_or(experts.balance),
        });
        TrainConfig {
            network: NetworkConfig {
                hidden: self.hidden.unwrap_or(base.network.hidden),
                layers: self.layers.unwrap_or(base.network.layers),
                heads: self.heads.unwrap_or(base.network.heads),
                ffn: self.ffn.unwrap_or(base.network.ffn),
                experts,
                ..base.network
            },
            distilling,
            seed: self.seed.unwrap_or(base.seed),
            steps: self.steps.unwrap_or(base.steps),
            documents: self.documents.unwrap_or(base.documents),
            questions: self.questions.unwrap_or(base.questions),
            shards: self.shards.unwrap_or(base.shards),
            learning_rate: self.learning_rate.unwrap_or(base.learning_rate),
            vocabulary: self.vocabulary.unwrap_or(base.vocabulary),
            held_out: self.held_out.unwrap_or(base.held_out),
            checkpoint_every: self.checkpoint_every.unwrap_or(base.checkpoint_every),
            ..base
        }
    }
}

/// The losses of the run, drawn.
const FIGURE: &str = "loss.svg";

/// Trains, draws the losses and returns the report to print.
///
/// # Errors
/// [`TrainError`], an interruption included.
pub fn run(args: TrainArgs, interrupt: &AtomicBool) -> Result<String, TrainError> {
    if !args.exits.is_empty() {
        return run_exits(args, interrupt);
    }
    let config = args.resolve();
    let mut display = Display::new(config.steps);
    let outcome = train(&config, &mut display, interrupt);
    display.bar.finish_and_clear();
    let outcome = outcome?;
    let figure = svg::write(&training::draw(&outcome.log, Width::Column));
    let mut files = Files::default();
    files.stage(&config.out.join(FIGURE), figure.as_bytes())?;
    files.commit()?;
    Ok(report(&outcome))
}

/// Trains exits and returns the table to print.
fn run_exits(args: TrainArgs, interrupt: &AtomicBool) -> Result<String, TrainError> {
    let base = ExitsConfig::new(args.out, args.exits);
    let config = ExitsConfig {
        rank: args.rank.unwrap_or(base.rank),
        seed: args.seed.unwrap_or(base.seed),
        steps: args.steps.unwrap_or(base.steps),
        documents: args.documents.unwrap_or(base.documents),
        learning_rate: args.learning_rate.unwrap_or(base.learning_rate),
        held_out: args.held_out.unwrap_or(base.held_out),
        ..base
    };
    let display = Display::new(config.steps);
    let mut watch = |step, loss| {
        display.bar.set_message(format!("divergence {loss:.4}"));
        display.bar.set_position(step);
    };
    let outcome = train_exits(&config, &mut watch, interrupt);
    display.bar.finish_and_clear();
    let outcome = outcome?;
    let mut text = format!(
        "{} parameters\n{:<15} {:>10} {:>9} {:>9} {:>11}\n",
        outcome.parameters, "exit", "perplexity", "same", "overlap", "divergence"
    );
    for exit in &outcome.exits {
        let tokens = exit.likeness.tokens as f64;
        let place = format!("after {}", exit.after);
        text.push_str(&format!(
            "{place:<15} {:>10.4} {:>7.1} % {:>7.1} % {:>11.4}\n",
            libm::exp(exit.nats),
            100.0 * exit.likeness.same as f64 / tokens,
            100.0 * exit.likeness.overlap / tokens,
            exit.likeness.divergence / tokens
        ));
    }
    Ok(text)
}

/// The progress bar on a terminal; elsewhere a line per evaluation.
struct Display {
    bar: ProgressBar,
    /// A running mean of the loss, quicker to read than single steps.
    smooth: Option<f64>,
}

impl Display {
    fn new(steps: u64) -> Self {
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} steps, {msg}, {eta} left")
            .expect("a template of known fields");
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        Self {
            bar: bar.with_style(style),
            smooth: None,
        }
    }

    fn note(&self, line: &str) {
        if self.bar.is_hidden() {
            tell(line);
        } else {
            self.bar.println(line);
        }
    }
}

impl Observer for Display {
    fn started(&mut self, done: u64, parameters: usize, vocabulary: usize) {
        self.note(&format!(
            "{parameters} parameters, vocabulary {vocabulary}, {done} steps done"
        ));
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    fn stepped(&mut self, progress: &Progress) {
        let smooth = match self.smooth {
            Some(mean) => 0.95 * mean + 0.05 * progress.loss,
            None => progress.loss,
        };
        self.smooth = Some(smooth);
        self.bar.set_message(format!("loss {smooth:.3}"));
        self.bar.set_position(progress.step);
    }

    fn evaluated(&mut self, step: u64, evaluation: &Evaluation) {
        let all = evaluation.overall();
        let mut line = format!(
            "step {step}: held-out perplexity {:.4}, generator {:.4}",
            all.perplexity(),
            all.generator_perplexity()
        );
        for (register, tally) in &evaluation.registers {
            line.push_str(&format!(
                "\n  {:<10} {:.4} {:.4}",
                register.name(),
                tally.perplexity(),
                tally.generator_perplexity()
            ));
        }
        for (suite, marks) in &evaluation.suites {
            line.push_str(&format!("\n  {:<10} {:.3}", suite.name(), marks.accuracy()));
        }
        self.note(&line);
    }
}

/// The table that goes to standard output.
fn report(outcome: &Outcome) -> String {
    let mut text = format!(
        "{} parameters, vocabulary {}, {} tokens in {:.0} s\n\
         {:<11} {:>9} {:>8} {:>11} {:>11} {:>6}\n",
        outcome.parameters,
        outcome.vocabulary,
        outcome.tokens,
        outcome.seconds,
        "held-out",
        "documents",
        "tokens",
        "perplexity",
        "generator's",
        "ratio"
    );
    let all = outcome.held_out.overall();
    let registers = outcome.held_out.registers.iter();
    let rows = registers.map(|(register, tally)| (register.name(), *tally));
    for (name, tally) in rows.chain([("all", all)]) {
        let (model, own) = (tally.perplexity(), tally.generator_perplexity());
        text.push_str(&format!(
            "{name:<11} {:>9} {:>8} {model:>11.4} {own:>11.4} {:>6.3}\n",
            tally.documents,
            tally.tokens,
            model / own
        ));
    }
    text.push_str(&format!(
        "{:<11} {:>9} {:>8} {:>11}\n",
        "suite", "questions", "right", "by chance"
    ));
    for (suite, marks) in &outcome.held_out.suites {
        text.push_str(&format!(
            "{:<11} {:>9} {:>6.1} % {:>9.0} %\n",
            suite.name(),
            marks.questions,
            100.0 * marks.accuracy(),
            100.0 * suite.chance()
        ));
    }
    if let Some(likeness) = &outcome.held_out.teacher {
        let tokens = likeness.tokens as f64;
        text.push_str(&format!(
            "beside its teacher: the same most probable token {:.1} %, overlap {:.1} %, \
             divergence {:.4} nats per token\n",
            100.0 * likeness.same as f64 / tokens,
            100.0 * likeness.overlap / tokens,
            likeness.divergence / tokens
        ));
    }
    for layer in 0..outcome.held_out.experts.values().next().map_or(0, Vec::len) {
        text.push_str(&format!(
            "layer {layer}: tokens per expert, in % of a register\n"
        ));
        for (register, layers) in &outcome.held_out.experts {
            let all: u64 = layers[layer].iter().sum();
            let shares = layers[layer]
                .iter()
                .map(|&count| format!(" {:>5.1}", 100.0 * count as f64 / all as f64));
            let row: String = shares.collect();
            text.push_str(&format!("{:<11}{row}\n", register.name()));
        }
    }
    text
}
