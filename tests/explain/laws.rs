//! What holds of any run, on random layers of parallel work that meet at barriers: the
//! critical path leads back without a gap (law 4) and its parts are the makespan.

use crate::known::write_tables;
use airloom::analysis::{Arrivals, ExecutedGraph};
use airloom::engine::{
    self, Cost, CsvTrace, Graph, GraphError, Kind, Program, Record, Resources, Task, TaskId,
    TaskKey, TraceLevel,
};
use airloom::results::events::{Cause, CriticalPath, Events, Owner};
use airloom::results::perfetto;
use airloom::units::Duration;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

const STAGES: &[&str] = &[
    "work", "beside", "gather", "transmit", "reduced", "send", "receive",
];

/// One layer: every device's work, what the server does beside, every device's
/// transmission, and the way back.
#[derive(Debug, Clone)]
struct Layer {
    work: Vec<u64>,
    beside: u64,
    transmit: Vec<u64>,
    back: u64,
}

/// Devices work, meet, transmit — each on its own or one by one on a shared air —, meet
/// again and get the sum back.
#[derive(Debug, Clone)]
struct Layers {
    layers: Vec<Layer>,
    shared: bool,
}

impl Layers {
    fn devices(&self) -> usize {
        self.layers[0].work.len()
    }

    fn resources(&self) -> Resources {
        let mut resources = Resources::new();
        for lane in ["compute", "uplink", "downlink"] {
            for device in 0..self.devices() {
                resources.add(format!("device{device}.{lane}"), 1).unwrap();
            }
        }
        resources.add("air", 1).unwrap();
        resources.add("server.compute", 1).unwrap();
        resources.add("server.downlink", 1).unwrap();
        resources
    }

    fn run(&self) -> Events {
        let folder = tempfile::tempdir().unwrap();
        let names = (0..self.devices()).map(|device| format!("device{device}"));
        let names: Vec<String> = names.chain(["server".to_owned()]).collect();
        write_tables(folder.path(), &names);
        let file = std::fs::File::create(folder.path().join("events.csv")).unwrap();
        let mut trace = CsvTrace::new(TraceLevel::Full, file, STAGES, &names).unwrap();
        let resources = self.resources();
        let program = &mut self.clone();
        engine::run(program, &resources, &mut trace, &AtomicBool::new(false)).unwrap();
        trace.finish().unwrap();
        Events::read(folder.path()).unwrap()
    }
}

impl Program for Layers {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        let devices = self.devices();
        let resources = self.resources();
        let mut named = std::collections::BTreeMap::new();
        let mut again = Resources::new();
        for resource in resources.list() {
            let id = again.add(resource.name.clone(), 1).unwrap();
            named.insert(resource.name.clone(), id);
        }
        let mut inputs: Vec<Vec<TaskId>> = vec![Vec::new(); devices];
        let mut last: Vec<TaskId> = Vec::new();
        for (layer, times) in self.layers.iter().enumerate() {
            let mut task = |stage: u16,
                            node: Option<usize>,
                            kind: Kind,
                            resource: &str,
                            duration: u64,
                            after: &[TaskId]| {
                let key = TaskKey {
                    batch: 0,
                    layer: layer as u16,
                    stage,
                    node: node.map_or(TaskKey::NO_NODE, |node| node as u16),
                    peer: match STAGES[usize::from(stage)] {
                        "transmit" | "receive" => devices as u16,
                        _ => TaskKey::NO_PEER,
                    },
                    sequence: 0,
                };
                match kind {
                    Kind::Barrier => graph.barrier(key, after),
                    _ => graph.add(
                        Task {
                            key,
                            kind,
                            resource: Some(named[resource]),
                            duration: Duration(duration),
                            cost: Cost {
                                joules: duration as f64,
                                ..Cost::default()
                            },
                        },
                        after,
                    ),
                }
            };
            let mut work = Vec::new();
            for (device, input) in inputs.iter().enumerate() {
                let name = format!("device{device}.compute");
                let time = times.work[device];
                work.push(task(0, Some(device), Kind::Compute, &name, time, input)?);
            }
            let server = "server.compute";
            work.push(task(
                1,
                Some(devices),
                Kind::Compute,
                server,
                times.beside,
                &last,
            )?);
            let gather = task(2, None, Kind::Barrier, "", 0, &work)?;
            let mut sent = Vec::new();
            for device in 0..devices {
                let own = format!("device{device}.uplink");
                let name = if self.shared { "air" } else { &own };
                let time = times.transmit[device];
                sent.push(task(3, Some(device), Kind::Uplink, name, time, &[gather])?);
            }
            let reduced = task(4, None, Kind::Barrier, "", 0, &sent)?;
            last = vec![reduced];
            let server = "server.downlink";
            let own = Some(devices);
            task(5, own, Kind::Downlink, server, times.back, &[reduced])?;
            for (device, input) in inputs.iter_mut().enumerate() {
                let name = format!("device{device}.downlink");
                let received = task(
                    6,
                    Some(device),
                    Kind::Downlink,
                    &name,
                    times.back,
                    &[reduced],
                )?;
                *input = vec![received];
            }
        }
        Ok(())
    }

    fn completed(&mut self, _: TaskId, _: &Record<'_>, _: &mut Graph) -> Result<(), GraphError> {
        Ok(())
    }
}

fn layers() -> impl Strategy<Value = Layers> {
    (1..5usize, any::<bool>()).prop_flat_map(|(devices, shared)| {
        // Short ones, so that ties are frequent.
        let times = || proptest::collection::vec(1..6u64, devices);
        let layer = (times(), 1..6u64, times(), 1..6u64);
        let layer = layer.prop_map(|(work, beside, transmit, back)| Layer {
            work,
            beside,
            transmit,
            back,
        });
        proptest::collection::vec(layer, 1..6).prop_map(move |layers| Layers { layers, shared })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_parts_of_the_critical_path_add_up_to_the_makespan(layers in layers()) {
        let events = layers.run();
        let path = CriticalPath::of(&events, &events.groups());
        prop_assert_eq!(path.length(), Duration(events.makespan().0));
        // The server sends while it works for the next layer.
        let server = Owner::Node(layers.devices() as u32);
        let devices = events.busy().into_iter().filter(|(owner, _)| *owner != server);
        let busiest = devices.map(|(_, tasks)| {
            tasks.iter().map(|task| events.task(*task).duration()).sum::<Duration>()
        });
        prop_assert!(busiest.max().unwrap() <= path.length());
    }

    #[test]
    fn what_a_device_waited_for_adds_up_to_its_waiting(layers in layers()) {
        let events = layers.run();
        for gap in events.gaps() {
            let causes = events.waited_for(&gap).map(|(_, length)| length);
            prop_assert_eq!(causes.sum::<Duration>(), gap.end.since(gap.start));
        }
        // Of a device's own lanes one is busy at a time here, so busy and waiting time
        // fill the time until the last task of the device ends.
        for (owner, tasks) in events.busy() {
            let busy: Duration = tasks.iter().map(|task| events.task(*task).duration()).sum();
            let last = tasks.iter().map(|task| events.task(*task).end).max().unwrap();
            let waiting = events.waiting();
            let waiting = waiting.iter().filter(|((who, _, _), _)| *who == owner);
            let waiting: Duration = waiting.map(|(_, length)| *length).sum();
            // The server sends while it works for the next layer.
            if owner != Owner::Node(layers.devices() as u32) {
                prop_assert_eq!(busy + waiting, Duration(last.0));
            }
        }
    }

    #[test]
    fn slices_of_a_track_never_overlap_and_every_arrow_has_two_ends(layers in layers()) {
        let events = layers.run();
        let mut text = Vec::new();
        perfetto::write(&events, &mut text).unwrap();
        let trace: Value = serde_json::from_slice(&text).unwrap();
        let mut tracks: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
        let mut ends: BTreeMap<u64, Vec<char>> = BTreeMap::new();
        let mut spent: BTreeMap<u64, f64> = BTreeMap::new();
        for row in trace["traceEvents"].as_array().unwrap() {
            let picoseconds = |field: &str| (row[field].as_f64().unwrap() * 1e6).round() as u64;
            let number = |field: &str| row[field].as_u64().unwrap();
            match row["ph"].as_str().unwrap() {
                "X" => {
                    let (start, time) = (picoseconds("ts"), picoseconds("dur"));
                    let track = tracks.entry((number("pid"), number("tid"))).or_default();
                    track.push((start, start + time));
                }
                phase @ ("s" | "f") => {
                    ends.entry(number("id")).or_default().push(phase.chars().next().unwrap());
                }
                "C" => drop(spent.insert(number("pid"), row["args"]["J"].as_f64().unwrap())),
                _ => {}
            }
        }
        for (_, mut slices) in tracks {
            slices.sort_unstable();
            prop_assert!(slices.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
        // Each layer: every device sends to the server, which sends to every device and, with
        // what it got, begins the next layer's work.
        prop_assert_eq!(ends.len(), layers.devices() * (3 * layers.layers.len() - 1));
        prop_assert!(ends.values().all(|ends| ends[..] == ['s', 'f']));
        let joules: f64 = events.tasks.iter().map(|task| task.joules).sum();
        prop_assert!((spent.values().sum::<f64>() - joules).abs() <= 1e-12 * joules);
    }

    #[test]
    fn the_executed_graph_gives_the_recorded_starts(layers in layers()) {
        let events = layers.run();
        let none = Arrivals::new();
        let graph = ExecutedGraph::of(&events, &none);
        let recorded: Vec<_> = events.tasks.iter().map(|task| task.start).collect();
        prop_assert_eq!(graph.recorded_starts(), recorded);
    }

    #[test]
    fn an_estimate_is_what_the_engine_does_with_these_durations(layers in layers()) {
        let events = layers.run();
        let none = Arrivals::new();
        let graph = ExecutedGraph::of(&events, &none);
        let estimate = |cause: Cause, device: Option<usize>| {
            let owner = device.map(|device| Owner::Node(device as u32));
            graph.makespan_if_halved(|task| {
                events.cause(task) == cause
                    && owner.is_none_or(|owner| task.owner() == owner)
            })
        };
        for device in (0..layers.devices()).map(Some).chain([None]) {
            let mut faster = layers.clone();
            for layer in &mut faster.layers {
                for (index, time) in layer.work.iter_mut().enumerate() {
                    if device.is_none_or(|device| device == index) {
                        *time = time.div_ceil(2);
                    }
                }
                if device.is_none() {
                    layer.beside = layer.beside.div_ceil(2);
                }
            }
            prop_assert_eq!(estimate(Cause::Compute, device), faster.run().makespan());
        }
        let mut faster = layers.clone();
        for layer in &mut faster.layers {
            layer.transmit.iter_mut().for_each(|time| *time = time.div_ceil(2));
        }
        let sent = estimate(Cause::Uplink, None);
        prop_assert_eq!(sent, faster.run().makespan());
    }
}
