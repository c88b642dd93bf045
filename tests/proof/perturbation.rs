//! What must not change a bit although the run contains it: idle resources, and others'
//! use of randomness. (Order of construction, on random graphs: `tests/engine`.)

use airloom::engine::{self, CsvTrace, Resources, TraceLevel};
use airloom::execution::{Dense, Execution, STAGE_NAMES, Source, System, Words};
use airloom::measurement::PassRecord;
use airloom::model::{ShardPlan, Shares};
use airloom::numerics::{Llama, Tokenizer};
use airloom::observer::{Observer, Travelling};
use airloom::placement::Placed;
use airloom::radio::Air;
use airloom::rng::{NO_DEVICE, Streams};
use airloom::scenario::{self, Resolved};
use airloom::serving::workload::{Arrival, Request, Task};
use airloom::topology::NodeId;
use airloom::units::Instant;
use rand::Rng;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const STREAMS: Streams = Streams { seed: 7, run: 0 };

/// Draws from streams of its own whenever the run does something.
struct Gambler {
    plays: bool,
    drawn: u64,
}

impl Gambler {
    fn play(&mut self) {
        if self.plays {
            self.drawn += 1;
            let mut stream = STREAMS.open("proof.unrelated", NO_DEVICE, self.drawn);
            for _ in 0..self.drawn % 7 {
                stream.next_u64();
            }
        }
    }
}

impl Observer for Gambler {
    fn pass(&mut self, _: &PassRecord) -> io::Result<()> {
        self.play();
        Ok(())
    }

    fn tensors(&mut self, _: &[Travelling<'_>]) -> io::Result<()> {
        self.play();
        Ok(())
    }
}

fn system(resolved: &Resolved) -> System {
    let Placed::Tensor {
        members,
        at,
        link: Some(link),
        fields,
        ..
    } = &resolved.replicas[0]
    else {
        panic!("the scenario is tensor-parallel");
    };
    let folder = resolved.model_folder().unwrap();
    let model = Llama::load(&folder).unwrap();
    let tokenizer = Tokenizer::load(&folder).unwrap();
    let shares = Shares::equal(members.len()).unwrap();
    let plan = ShardPlan::new(model.shape(), &shares).unwrap();
    let node = |id: &NodeId| resolved.topology.at(*id).clone();
    let design = fields.design.transceiver_design();
    let prompt = tokenizer.encode("Once Clara").unwrap();
    let radio = resolved.radio(*link).clone();
    let air = Air::new(
        radio,
        fields.all_reduce.clone(),
        design,
        members.len(),
        STREAMS,
    )
    .unwrap();
    let dense = model.shard(&plan).unwrap();
    let task = Task::Generate {
        prompt,
        max_tokens: 2,
    };
    let request = Request::new(Arrival::after_previous(0), task);
    let system = System::of_group(
        members.iter().map(node).collect(),
        node(at),
        (plan, air),
        Source::Dense(Box::new(Dense::new(vec![dense]))),
        vec![request],
        STREAMS,
    );
    system.with_words(Words {
        tokenizer,
        end_tokens: model.config().eos.clone(),
    })
}

/// Events, their digest and that of the logits, among `idle` resources that nobody uses.
fn simulate(idle: [&[&str]; 2], plays: bool) -> (u64, String, String) {
    let file = Path::new("scenarios/aircomp_tensor_parallel.ron");
    let resolved = scenario::load(file, &[]).unwrap();
    let mut gambler = Gambler { plays, drawn: 0 };
    let mut resources = Resources::new();
    for name in idle[0] {
        resources.add(*name, 3).unwrap();
    }
    let mut program = Execution::new(system(&resolved), &mut gambler, &mut resources).unwrap();
    for name in idle[1] {
        resources.add(*name, 3).unwrap();
    }
    let mut trace = CsvTrace::new(TraceLevel::Off, io::sink(), STAGE_NAMES, &[""; 0]).unwrap();
    let go_on = AtomicBool::new(false);
    let report = engine::run(&mut program, &resources, &mut trace, &go_on).unwrap();
    let (trace, _) = trace.finish().unwrap();
    let (_, logits) = program.finish(Instant(report.makespan.0));
    assert_eq!(plays, gambler.drawn > 0);
    (trace.rows, trace.blake3, logits)
}

#[test]
fn law_2_idle_resources_change_no_bit_of_a_run() {
    let idle = [&["aardvark.compute"][..], &["device9.uplink", "zebra"]];
    assert_eq!(simulate([&[], &[]], false), simulate(idle, false));
}

#[test]
fn law_6_unrelated_draws_change_no_bit_of_a_run() {
    let plain = simulate([&[], &[]], false);
    assert_eq!(plain, simulate([&[], &[]], true));
}
