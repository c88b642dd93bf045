//! Random task graphs, and a program that feeds one to the engine block by block.

use airloom::engine::{
    Cost, Graph, GraphError, Kind, Occupancy, Program, Record, ResourceId, Resources, Task, TaskId,
    TaskKey, Trace,
};
use airloom::units::Duration;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A task of a plan; predecessors are numbers of earlier tasks.
#[derive(Debug, Clone)]
pub struct Step {
    pub key: TaskKey,
    pub kind: Kind,
    pub resource: Option<usize>,
    pub duration: u64,
    pub cost: Cost,
    pub deferred: bool,
    pub predecessors: Vec<usize>,
}

/// Tasks in blocks; a block is added when the trigger of the block before finishes.
#[derive(Debug, Clone)]
pub struct Plan {
    pub capacities: Vec<u32>,
    pub steps: Vec<Step>,
    /// First step of each block, and the step whose end adds it.
    pub blocks: Vec<(usize, Option<usize>)>,
    /// What is asked at the end of a step, after its block is added, in this order.
    pub moves: Vec<Move>,
}

/// The end of a task is moved, if it runs.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// The step at whose end that is asked for.
    pub at: usize,
    /// The step whose end is moved.
    pub of: usize,
    /// How long after that instant it is to end.
    pub later: u64,
}

impl Plan {
    /// The steps of block `block`.
    pub fn block(&self, block: usize) -> std::ops::Range<usize> {
        let end = self
            .blocks
            .get(block + 1)
            .map_or(self.steps.len(), |next| next.0);
        self.blocks[block].0..end
    }

    pub fn resource_name(resource: usize) -> String {
        format!("resource{resource}")
    }

    /// The same plan with every duration multiplied.
    pub fn stretched(&self, factor: u64) -> Self {
        let mut plan = self.clone();
        for step in &mut plan.steps {
            step.duration *= factor;
        }
        for moved in &mut plan.moves {
            moved.later *= factor;
        }
        plan
    }
}

type RawStep = (
    u8,
    prop::sample::Index,
    u64,
    [u16; 4],
    bool,
    Vec<prop::sample::Index>,
    u64,
);

prop_compose! {
    fn step()(
        shape in 0..10u8,
        resource in any::<prop::sample::Index>(),
        // Short durations, so that many events fall on one instant.
        duration in 0..4u64,
        // Keys in random order against the order of construction.
        layer in 0..3u16,
        stage in 0..3u16,
        node in 0..3u16,
        peer in 0..2u16,
        deferred in any::<bool>(),
        predecessors in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        work in 0..1000u64,
    ) -> RawStep {
        (shape, resource, duration, [layer, stage, node, peer], deferred, predecessors, work)
    }
}

/// A random plan of up to 5 blocks on up to 4 resources.
pub fn plan() -> impl Strategy<Value = Plan> {
    let capacities = prop::collection::vec(1..4u32, 1..5);
    let block = (
        prop::collection::vec(step(), 1..12),
        any::<prop::sample::Index>(),
    );
    (capacities, prop::collection::vec(block, 1..6)).prop_map(|(capacities, blocks)| {
        let mut plan = Plan {
            capacities,
            steps: Vec::new(),
            blocks: Vec::new(),
            moves: Vec::new(),
        };
        let mut trigger = None;
        for (steps, next_trigger) in blocks {
            let first = plan.steps.len();
            plan.blocks.push((first, trigger));
            trigger = Some(first + next_trigger.index(steps.len()));
            for (shape, resource, duration, [layer, stage, node, peer], deferred, before, work) in
                steps
            {
                let number = plan.steps.len();
                let barrier = shape == 0;
                let resource = (shape > 1).then(|| resource.index(plan.capacities.len()));
                plan.steps.push(Step {
                    key: TaskKey {
                        batch: 0,
                        layer,
                        stage,
                        node,
                        peer,
                        sequence: number as u32,
                    },
                    kind: match shape {
                        0 => Kind::Barrier,
                        1..4 => Kind::Overhead,
                        4..7 => Kind::Compute,
                        7..9 => Kind::Uplink,
                        _ => Kind::Downlink,
                    },
                    resource,
                    duration: if barrier { 0 } else { duration },
                    cost: if barrier {
                        Cost::default()
                    } else {
                        Cost {
                            flops: work,
                            bytes: work / 2,
                            bits: work / 3,
                            joules: work as f64 * 0.1,
                        }
                    },
                    deferred: deferred && resource.is_some(),
                    predecessors: if number == 0 {
                        Vec::new()
                    } else {
                        before.iter().map(|index| index.index(number)).collect()
                    },
                });
            }
        }
        plan
    })
}

/// A random plan in which ends are moved while tasks run.
pub fn plan_with_moves() -> impl Strategy<Value = Plan> {
    let step = any::<prop::sample::Index>;
    let moves = prop::collection::vec((step(), step(), 0..6u64), 0..40);
    (plan(), moves).prop_map(|(mut plan, moves)| {
        let steps = plan.steps.len();
        for (at, of, later) in moves {
            let (at, of) = (at.index(steps), of.index(steps));
            if plan.steps[of].kind != Kind::Barrier {
                plan.moves.push(Move { at, of, later });
            }
        }
        plan
    })
}

/// An order of construction: of resources (idle ones among them), and of tasks.
#[derive(Debug, Clone, Default)]
pub struct Construction {
    /// Idle resources to add before the others.
    pub idle: usize,
    /// Declares resources in reverse.
    pub reversed: bool,
    /// Decides which of the steps that could be added next is.
    pub shuffle: u64,
}

/// Feeds a plan to the engine.
pub struct Feeder<'a> {
    plan: &'a Plan,
    construction: Construction,
    resources: Vec<ResourceId>,
    ids: BTreeMap<usize, TaskId>,
}

impl<'a> Feeder<'a> {
    /// A program for `plan` and the resources it runs on.
    pub fn new(plan: &'a Plan, construction: Construction) -> (Self, Resources) {
        let mut declared = Resources::new();
        for idle in 0..construction.idle {
            declared.add(format!("idle{idle}"), 1).unwrap();
        }
        let mut numbers: Vec<_> = (0..plan.capacities.len()).collect();
        if construction.reversed {
            numbers.reverse();
        }
        let mut resources = BTreeMap::new();
        for number in numbers {
            let name = Plan::resource_name(number);
            let id = declared.add(name, plan.capacities[number]).unwrap();
            resources.insert(number, id);
        }
        let feeder = Self {
            plan,
            construction,
            resources: resources.into_values().collect(),
            ids: BTreeMap::new(),
        };
        (feeder, declared)
    }

    fn add_block(&mut self, block: usize, graph: &mut Graph) -> Result<(), GraphError> {
        let range = self.plan.block(block);
        let mut left: Vec<_> = range.clone().collect();
        let mut state = self.construction.shuffle;
        while !left.is_empty() {
            let addable: Vec<_> = left
                .iter()
                .copied()
                .filter(|step| {
                    let before = &self.plan.steps[*step].predecessors;
                    before.iter().all(|before| self.ids.contains_key(before))
                })
                .collect();
            let choice = addable[(state % addable.len() as u64) as usize];
            state = state.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            left.retain(|step| *step != choice);
            self.add(choice, graph)?;
        }
        Ok(())
    }

    fn add(&mut self, number: usize, graph: &mut Graph) -> Result<(), GraphError> {
        let step = &self.plan.steps[number];
        let before: Vec<_> = step
            .predecessors
            .iter()
            .map(|step| self.ids[step])
            .collect();
        let id = graph.add(
            Task {
                key: step.key,
                kind: step.kind,
                resource: step.resource.map(|resource| self.resources[resource]),
                duration: if step.deferred {
                    Duration::ZERO
                } else {
                    Duration(step.duration)
                },
                cost: if step.deferred {
                    Cost::default()
                } else {
                    step.cost
                },
            },
            &before,
        )?;
        if step.deferred {
            graph.defer(id)?;
        }
        let is_trigger = self.plan.blocks.iter().any(|block| block.1 == Some(number));
        if is_trigger || self.plan.moves.iter().any(|moved| moved.at == number) {
            graph.notify(id)?;
        }
        self.ids.insert(number, id);
        Ok(())
    }
}

impl Program for Feeder<'_> {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        self.add_block(0, graph)
    }

    fn completed(
        &mut self,
        _: TaskId,
        record: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), GraphError> {
        let step = record.key.sequence as usize;
        let blocks = &self.plan.blocks;
        if let Some(block) = blocks.iter().position(|block| block.1 == Some(step)) {
            self.add_block(block, graph)?;
        }
        for moved in self.plan.moves.iter().filter(|moved| moved.at == step) {
            let Some(id) = self.ids.get(&moved.of) else {
                continue;
            };
            match graph.retime(*id, graph.now() + Duration(moved.later)) {
                Ok(()) | Err(GraphError::NotRunning { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn service(
        &mut self,
        id: TaskId,
        key: TaskKey,
        _: &mut Graph,
    ) -> Result<Option<Occupancy>, GraphError> {
        let number = key.sequence as usize;
        assert_eq!(self.ids[&number], id);
        let step = &self.plan.steps[number];
        Ok(Some(Occupancy {
            duration: Duration(step.duration),
            cost: step.cost,
        }))
    }
}

/// A row of a schedule, with names and numbers only.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub step: usize,
    pub resource: Option<String>,
    pub ready: u64,
    pub start: u64,
    pub end: u64,
    pub inputs: Vec<usize>,
    pub released_by: Option<usize>,
    pub reason: &'static str,
}

/// Keeps the rows of a run.
#[derive(Debug, Default)]
pub struct Rows(pub Vec<Row>);

impl Trace for Rows {
    fn record(&mut self, record: &Record<'_>) -> std::io::Result<()> {
        assert_eq!(record.number, self.0.len() as u64);
        // Rows come in the order of their numbers, so that a number finds its step.
        let step = |number: u64| self.0[number as usize].step;
        let row = Row {
            step: record.key.sequence as usize,
            resource: record.resource.map(str::to_owned),
            ready: record.ready.0,
            start: record.start.0,
            end: record.end.0,
            inputs: record.inputs.iter().copied().map(step).collect(),
            released_by: record.released_by.map(step),
            reason: record.reason.name(),
        };
        self.0.push(row);
        Ok(())
    }
}
