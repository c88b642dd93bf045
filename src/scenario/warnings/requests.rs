//! What has no effect on requests: goals that nothing can miss, travels of no way, users who
//! never ask.

use super::{Remark, idle};
use crate::placement::Placed;
use crate::scenario::resolved::Resolved;
use crate::scenario::workload::{Request, Tokens};
use crate::serving::arrivals::Process;

/// What is remarkable about the workload of `resolved`.
pub(super) fn remarks(resolved: &Resolved) -> Vec<Remark> {
    let workload = &resolved.scenario.workload;
    let mut remarks = Vec::new();
    let generates = |request: &Request| match request {
        Request::Score(_) | Request::Choose(_) | Request::Tokens(Tokens { generate: 0, .. }) => {
            false
        }
        Request::Generate(_) | Request::Tokens(_) | Request::Arrivals(_) | Request::Trace(_) => {
            true
        }
    };
    if resolved.scenario.goals.is_some() && !workload.iter().any(generates) {
        let why = "no request generates tokens";
        remarks.push(idle("goals".to_owned(), &["workload".to_owned()], why));
    }
    for (index, request) in workload.iter().enumerate() {
        let path = |field: &str| format!("workload[{index}].{field}");
        if let Some(name) = request.from() {
            let nodes = resolved.topology.named(name);
            let mut replicas = resolved.replicas.iter();
            if replicas.all(|replica| nodes == [Placed::at(replica)]) {
                let why = "every replica begins there, and nothing travels";
                remarks.push(idle(path("from"), &["replicas".to_owned()], why));
            }
        }
        let Request::Arrivals(arrivals) = request else {
            continue;
        };
        let Process::ClosedLoop(users) = arrivals.process else {
            continue;
        };
        if users.think.0 == 0.0 {
            let decides = [path("process.think")];
            remarks.push(idle(
                path("process.cv"),
                &decides,
                "users think for no time",
            ));
        }
        if users.users > arrivals.count {
            let why = format!(
                "of {} users only {} ask, one request each; raise `count`",
                users.users, arrivals.count
            );
            remarks.push(idle(path("process.users"), &[path("count")], &why));
        }
    }
    remarks
}
