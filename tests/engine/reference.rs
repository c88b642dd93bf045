//! A second route to the schedule: the documented rule, spelled out naively.
//!
//! Nothing is remembered that could be looked up: at every step the whole plan is
//! searched for what happens next. Quadratic and worse, but hard to get wrong.
//!
//! The rule. At an instant, as long as there are tasks that end now, the first of
//! them by key ends. Otherwise, of the tasks at the head of the queue of a resource
//! that has a free place (first ready, then by key), the first by key starts.
//! Otherwise time goes on to the next end. A step whose end was moved ends where it was
//! moved last.

use crate::plan::{Plan, Row};

#[derive(Debug, Clone, Default)]
struct State {
    added: Option<Author>,
    ready: Option<u64>,
    start: Option<u64>,
    /// When it is to end, once that was moved.
    moved: Option<u64>,
    /// When it ended, and as the how-manieth task of all.
    end: Option<(u64, usize)>,
    released_by: Option<usize>,
    reason: &'static str,
}

/// The step whose end added a step; `None` at the start of the run.
type Author = Option<usize>;

/// The rows of `plan` in the order in which its tasks end.
pub fn schedule(plan: &Plan) -> Vec<Row> {
    let mut states = vec![State::default(); plan.steps.len()];
    let mut rows = Vec::new();
    let mut now = 0;
    add_block(plan, 0, None, &mut states);
    loop {
        make_ready(plan, now, &mut states);
        if let Some(step) = next_end(plan, now, &states) {
            states[step].end = Some((now, rows.len()));
            rows.push(row(plan, step, &states));
            for block in 0..plan.blocks.len() {
                if plan.blocks[block].1 == Some(step) {
                    add_block(plan, block, Some(step), &mut states);
                }
            }
            for moved in plan.moves.iter().filter(|moved| moved.at == step) {
                // What became ready at this end runs already if it needs no resource.
                make_ready(plan, now, &mut states);
                let state = &mut states[moved.of];
                if state.start.is_some() && state.end.is_none() {
                    state.moved = Some(now + moved.later);
                }
            }
        } else if let Some(step) = next_start(plan, &states) {
            start(plan, step, now, &mut states);
        } else if let Some(next) = running(plan, &states)
            .map(|step| end(plan, step, &states))
            .min()
        {
            now = next;
        } else {
            return rows;
        }
    }
}

fn add_block(plan: &Plan, block: usize, author: Author, states: &mut [State]) {
    for step in plan.block(block) {
        states[step].added = Some(author);
    }
}

fn make_ready(plan: &Plan, now: u64, states: &mut [State]) {
    for step in 0..states.len() {
        let before = &plan.steps[step].predecessors;
        let Some(author) = states[step].added else {
            continue;
        };
        if states[step].ready.is_some() || before.iter().any(|step| states[*step].end.is_none()) {
            continue;
        }
        // The last to end of its predecessors and its author.
        let last = before
            .iter()
            .copied()
            .chain(author)
            .max_by_key(|step| states[*step].end.map(|end| end.1));
        states[step].ready = Some(now);
        states[step].released_by = last;
        states[step].reason = match last {
            Some(last) if plan.steps[last].kind.name() == "barrier" => "barrier",
            _ => "input",
        };
        if plan.steps[step].resource.is_none() {
            states[step].start = Some(now);
        }
    }
}

fn running(plan: &Plan, states: &[State]) -> impl Iterator<Item = usize> {
    (0..plan.steps.len())
        .filter(|step| states[*step].start.is_some() && states[*step].end.is_none())
}

fn end(plan: &Plan, step: usize, states: &[State]) -> u64 {
    let state = &states[step];
    let unmoved = || state.start.unwrap() + plan.steps[step].duration;
    state.moved.unwrap_or_else(unmoved)
}

fn next_end(plan: &Plan, now: u64, states: &[State]) -> Option<usize> {
    running(plan, states)
        .filter(|step| end(plan, *step, states) == now)
        .min_by_key(|step| plan.steps[*step].key)
}

fn next_start(plan: &Plan, states: &[State]) -> Option<usize> {
    (0..plan.capacities.len())
        .filter_map(|resource| {
            let on_it = |step: &usize| plan.steps[*step].resource == Some(resource);
            let serving = running(plan, states).filter(on_it).count();
            if serving >= plan.capacities[resource] as usize {
                return None;
            }
            (0..states.len())
                .filter(on_it)
                .filter(|step| states[*step].ready.is_some() && states[*step].start.is_none())
                .min_by_key(|step| (states[*step].ready, plan.steps[*step].key))
        })
        .min_by_key(|step| plan.steps[*step].key)
}

/// The n-th task that starts at an instant after waiting for its resource takes
/// the place of the n-th task that left it then.
fn start(plan: &Plan, step: usize, now: u64, states: &mut [State]) {
    if states[step].ready.unwrap() < now {
        let resource = plan.steps[step].resource;
        let on_it = |step: &usize| plan.steps[*step].resource == resource;
        let before_me = (0..states.len())
            .filter(on_it)
            .filter(|step| states[*step].start == Some(now) && states[*step].reason == "resource")
            .count();
        let mut left: Vec<_> = (0..states.len())
            .filter(on_it)
            .filter_map(|step| {
                let (end, ordinal) = states[step].end?;
                (end == now).then_some((ordinal, step))
            })
            .collect();
        left.sort_unstable();
        states[step].released_by = Some(left[before_me].1);
        states[step].reason = "resource";
    }
    states[step].start = Some(now);
}

/// The steps that `step` waited for, in the order in which they ended: predecessors that
/// were unfinished when it was added, its author if that was one of them or if no other
/// was left.
fn inputs(plan: &Plan, step: usize, states: &[State]) -> Vec<usize> {
    let before = &plan.steps[step].predecessors;
    let author = states[step].added.unwrap();
    let ordinal = |step: usize| states[step].end.map(|end| end.1);
    let added = author.and_then(ordinal);
    let mut inputs: Vec<_> = before
        .iter()
        .copied()
        .filter(|before| ordinal(*before) > added || Some(*before) == author)
        .collect();
    if inputs.is_empty() {
        inputs.extend(author);
    }
    inputs.sort_by_key(|step| ordinal(*step));
    inputs.dedup();
    inputs
}

fn row(plan: &Plan, step: usize, states: &[State]) -> Row {
    let state = &states[step];
    Row {
        step,
        resource: plan.steps[step].resource.map(Plan::resource_name),
        ready: state.ready.unwrap(),
        start: state.start.unwrap(),
        end: state.end.unwrap().0,
        inputs: inputs(plan, step, states),
        released_by: state.released_by,
        reason: state.reason,
    }
}
