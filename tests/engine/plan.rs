//! Random task graphs, and a program that feeds one to the engine block by block.

use airloom::engine::{
    Cost, Graph, GraphError, Kind, Program, Record, ResourceId, Resources, Service, Task, TaskId,
    TaskKey, Trace,
};
use airloom::units::{Duration, Instant};
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
        plan
    }
}

prop_compose! {
    fn step()(
        shape in 0..10u8,
        resource in any::<prop::sample::Index>(),
        // Short durations, so that many events fall on one instant.
        duration in 0..4u64,
        // Keys in random order against the order of construction.
        layer in 0..3u16,
        stage in 0..3u16,
        device in 0..3u16,
        deferred in any::<bool>(),
        predecessors in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        work in 0..1000u64,
    ) -> (u8, prop::sample::Index, u64, [u16; 3], bool, Vec<prop::sample::Index>, u64) {
        (shape, resource, duration, [layer, stage, device], deferred, predecessors, work)
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
        };
        let mut trigger = None;
        for (steps, next_trigger) in blocks {
            let first = plan.steps.len();
            plan.blocks.push((first, trigger));
            trigger = Some(first + next_trigger.index(steps.len()));
            for (shape, resource, duration, [layer, stage, device], deferred, before, work) in steps
            {
                let number = plan.steps.len();
                let barrier = shape == 0;
                let resource = (shape > 1).then(|| resource.index(plan.capacities.len()));
                plan.steps.push(Step {
                    key: TaskKey {
                        request: 0,
                        step: 0,
                        layer,
                        stage,
                        device,
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
        if self.plan.blocks.iter().any(|block| block.1 == Some(number)) {
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
        key: TaskKey,
        _: Instant,
        graph: &mut Graph,
    ) -> Result<(), GraphError> {
        let trigger = Some(key.sequence as usize);
        let block = self.plan.blocks.iter().position(|block| block.1 == trigger);
        self.add_block(block.expect("only triggers ask for notice"), graph)
    }

    fn service(&mut self, key: TaskKey, _: Instant) -> Result<Option<Service>, GraphError> {
        let step = &self.plan.steps[key.sequence as usize];
        Ok(Some(Service {
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
    pub released_by: Option<usize>,
    pub reason: &'static str,
}

/// Keeps the rows of a run.
#[derive(Debug, Default)]
pub struct Rows(pub Vec<Row>);

impl Trace for Rows {
    fn record(&mut self, record: &Record<'_>) -> std::io::Result<()> {
        self.0.push(Row {
            step: record.key.sequence as usize,
            resource: record.resource.map(str::to_owned),
            ready: record.ready.0,
            start: record.start.0,
            end: record.end.0,
            released_by: record.released_by.map(|key| key.sequence as usize),
            reason: record.reason.name(),
        });
        Ok(())
    }
}
