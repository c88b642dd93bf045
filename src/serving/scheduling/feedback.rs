//! Iterations of the best ranked, whether they wait or run.

use super::filling::Filling;

/// Fills the batch in the order of ranks, while fewer than `slots` run; `candidates` is room to
/// work in.
pub(super) fn fill(filling: &mut Filling<'_>, slots: usize, candidates: &mut Vec<u32>) {
    loop {
        let rejected = filling.plan.rejected.len();
        pass(filling, slots, candidates);
        // Whoever came after those who were turned away has not been asked.
        if !filling.plan.slices.is_empty() || filling.plan.rejected.len() == rejected {
            return;
        }
    }
}

fn pass(filling: &mut Filling<'_>, slots: usize, candidates: &mut Vec<u32>) {
    candidates.clear();
    candidates.extend(filling.jobs.best(filling.slices));
    let mut admits = true;
    for request in candidates.iter().copied() {
        if filling.slices == 0 {
            return;
        }
        if filling.jobs.runs(request) {
            filling.go_on(request);
        } else if admits && !filling.reject(request) {
            // Nobody who waits passes another.
            admits = join(filling, request, slots);
        }
    }
}

/// Admits `request`, after preempting whom of worse rank it takes.
fn join(filling: &mut Filling<'_>, request: u32, slots: usize) -> bool {
    let is_preempted = |filling: &Filling<'_>| {
        let mut preempted = filling.plan.preempted.iter();
        preempted.any(|preempted| preempted.request == request)
    };
    if filling.jobs.running_len() >= slots || is_preempted(filling) {
        return false;
    }
    let Some(first) = filling.first_slice(request) else {
        return false;
    };
    if !filling.make_room(request, first) {
        return false;
    }
    // Those who made room may have left something of the prompt behind.
    filling.admit(request)
}
