//! The laws of simulated time, on random task graphs.
//!
//! Laws 2 to 5 of the house: order is ours, time is an integer, causality,
//! conservation. A naive scheduler gives every schedule a second time.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use crate::plan::{Construction, Feeder, Plan, Row, Rows, Step, plan, plan_with_moves};
use airloom::engine::{CsvTrace, Kind, Report, TraceLevel, run};
use proptest::prelude::*;

/// Stages and nodes go by their numbers.
const NAMES: &[&str] = &[];

fn simulate(plan: &Plan, construction: Construction) -> (Report, Vec<Row>, String) {
    let (mut feeder, resources) = Feeder::new(plan, construction);
    let csv = CsvTrace::new(TraceLevel::Full, Vec::new(), NAMES, NAMES).unwrap();
    let mut trace = (Rows::default(), csv);
    let never = AtomicBool::new(false);
    let report = run(&mut feeder, &resources, &mut trace, &never).unwrap();
    let (_, bytes) = trace.1.finish().unwrap();
    (report, trace.0.0, String::from_utf8(bytes).unwrap())
}

fn rows(plan: &Plan) -> Vec<Row> {
    simulate(plan, Construction::default()).1
}

/// Rows by step.
fn by_step(rows: &[Row]) -> BTreeMap<usize, &Row> {
    rows.iter().map(|row| (row.step, row)).collect()
}

/// Where the ends were moved last, step by step: by what ended while the step ran. What
/// ended at the instant of its start may have come before it, so only the reference
/// scheduler tells those moves.
fn last_moves(plan: &Plan, rows: &[Row]) -> BTreeMap<usize, u64> {
    let by_step = by_step(rows);
    let mut ends = BTreeMap::new();
    for row in rows {
        for moved in plan.moves.iter().filter(|moved| moved.at == row.step) {
            let of = by_step[&moved.of];
            if of.start < row.end && row.end < of.end || of.end == row.end + moved.later {
                ends.insert(moved.of, row.end + moved.later);
            }
        }
    }
    ends
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn schedule_equals_the_naive_schedulers(plan in plan()) {
        prop_assert_eq!(rows(&plan), crate::reference::schedule(&plan));
    }

    #[test]
    fn so_does_one_in_which_ends_are_moved(plan in plan_with_moves()) {
        prop_assert_eq!(rows(&plan), crate::reference::schedule(&plan));
    }

    #[test]
    fn law_2_idle_resources_and_order_of_construction_change_no_trace(
        plan in plan(),
        idle in 0..4usize,
        reversed in any::<bool>(),
        shuffle in any::<u64>(),
    ) {
        let (_, _, plain) = simulate(&plan, Construction::default());
        let other = Construction { idle, reversed, shuffle };
        let (_, _, changed) = simulate(&plan, other);
        prop_assert_eq!(plain, changed);
    }

    #[test]
    fn law_3_days_are_as_exact_as_picoseconds(plan in plan_with_moves()) {
        // An odd number of picoseconds, about 9 hours: far beyond 2⁵³ in sum.
        const FACTOR: u64 = 32_400_000_000_000_001;
        let short = rows(&plan);
        let long = rows(&plan.stretched(FACTOR));
        prop_assert_eq!(short.len(), long.len());
        for (short, long) in short.iter().zip(&long) {
            prop_assert_eq!(short.step, long.step);
            prop_assert_eq!(short.ready * FACTOR, long.ready);
            prop_assert_eq!(short.start * FACTOR, long.start);
            prop_assert_eq!(short.end * FACTOR, long.end);
        }
    }

    #[test]
    fn law_4_nothing_starts_before_its_inputs_end(plan in plan_with_moves()) {
        let rows = rows(&plan);
        prop_assert_eq!(rows.len(), plan.steps.len());
        prop_assert!(rows.is_sorted_by_key(|row| row.end));
        let ends = last_moves(&plan, &rows);
        let rows = by_step(&rows);
        for (block, (_, author)) in plan.blocks.iter().enumerate() {
            for number in plan.block(block) {
                let (step, row) = (&plan.steps[number], rows[&number]);
                let inputs = step.predecessors.iter().chain(author);
                let last = inputs.map(|input| rows[input].end).max().unwrap_or(0);
                prop_assert_eq!(row.ready, last);
                prop_assert!(row.start >= row.ready);
                let end = ends.get(&number).copied();
                prop_assert_eq!(row.end, end.unwrap_or(row.start + step.duration));
                let ready = row.inputs.iter().map(|input| rows[input].end).max();
                prop_assert_eq!(row.ready, ready.unwrap_or(0));
                if step.kind == Kind::Barrier {
                    prop_assert_eq!(row.end, last);
                }
            }
        }
    }

    #[test]
    fn law_4_the_critical_path_leads_back_without_a_gap(plan in plan_with_moves()) {
        let rows = rows(&plan);
        let rows_by_step = by_step(&rows);
        for last in &rows {
            let mut row = last;
            for _ in 0..rows.len() {
                let Some(before) = row.released_by else {
                    break;
                };
                prop_assert_eq!(rows_by_step[&before].end, row.start);
                row = rows_by_step[&before];
            }
            prop_assert_eq!((row.start, row.released_by), (0, None));
        }
    }

    #[test]
    fn law_5_busy_waiting_and_idle_make_up_the_makespan(plan in plan_with_moves()) {
        let (report, rows, _) = simulate(&plan, Construction::default());
        let rows_by_step = by_step(&rows);
        let makespan = rows.iter().map(|row| row.end).max().unwrap();
        prop_assert_eq!(report.makespan.0, makespan);
        // When each step was added: at the end of its author.
        let mut added = BTreeMap::new();
        for (block, (_, author)) in plan.blocks.iter().enumerate() {
            for step in plan.block(block) {
                added.insert(step, author.map_or(0, |author| rows_by_step[&author].end));
            }
        }
        for (number, resource) in report.resources.iter().enumerate() {
            let on_it: Vec<_> = rows
                .iter()
                .filter(|row| plan.steps[row.step].resource == Some(number))
                .collect();
            // Picosecond by picosecond.
            let (mut busy, mut waiting, mut idle) = (0, 0, 0);
            for now in 0..makespan {
                let serving = on_it.iter().filter(|row| (row.start..row.end).contains(&now));
                let serving = serving.count();
                prop_assert!(serving <= resource.capacity as usize);
                if serving > 0 {
                    busy += 1;
                } else if on_it.iter().any(|row| (added[&row.step]..row.end).contains(&now)) {
                    waiting += 1;
                } else {
                    idle += 1;
                }
            }
            let (b, w, i) = (resource.busy.0, resource.waiting.0, resource.idle.0);
            prop_assert_eq!((b, w, i), (busy, waiting, idle));
            prop_assert_eq!(b + w + i, makespan);
            let served: u64 = on_it.iter().map(|row| row.end - row.start).sum();
            prop_assert_eq!(resource.totals.service_ps, u128::from(served));
        }
    }

    #[test]
    fn law_5_the_parts_cost_what_the_whole_costs(plan in plan_with_moves()) {
        let (report, rows, _) = simulate(&plan, Construction::default());
        let total = |count: fn(&Step) -> u64| -> u128 {
            plan.steps.iter().map(|step| u128::from(count(step))).sum()
        };
        let joules: f64 = plan.steps.iter().map(|step| step.cost.joules).sum();
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * joules;
        prop_assert_eq!(report.totals.tasks, plan.steps.len() as u64);
        let served: u64 = rows.iter().map(|row| row.end - row.start).sum();
        prop_assert_eq!(report.totals.service_ps, u128::from(served));
        prop_assert_eq!(report.totals.flops, total(|step| step.cost.flops));
        prop_assert_eq!(report.totals.bytes, total(|step| step.cost.bytes));
        prop_assert_eq!(report.totals.bits, total(|step| step.cost.bits));
        prop_assert!(close(report.totals.joules, joules));
        prop_assert!(close(report.kinds.iter().map(|kind| kind.joules).sum(), joules));
        let free: f64 = plan
            .steps
            .iter()
            .filter(|step| step.resource.is_none())
            .map(|step| step.cost.joules)
            .sum();
        let served: f64 = report.resources.iter().map(|resource| resource.totals.joules).sum();
        prop_assert!(close(served + free, joules));
        for kind in Kind::ALL {
            let tasks = plan.steps.iter().filter(|step| step.kind == kind).count();
            prop_assert_eq!(report.kind(kind).tasks, tasks as u64);
        }
    }
}
