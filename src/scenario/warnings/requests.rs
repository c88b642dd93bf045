//! What has no effect on requests: goals that nothing can miss, travels of no way, users who
//! never ask.

use super::{Remark, idle};
use crate::placement::Placed;
use crate::scenario::model::Model;
use crate::scenario::resolved::Resolved;
use crate::scenario::workload::{Request, Tokens};
use crate::serving::arrivals::Process;
use crate::serving::{Cache, Order, Replica};

/// What is remarkable about the workload of `resolved`.
pub(super) fn remarks(resolved: &Resolved) -> Vec<Remark> {
    let workload = &resolved.scenario.workload;
    let replicas = &resolved.scenario.replicas;
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
            let mut placed = resolved.replicas.iter();
            if placed.all(|replica| nodes == [Placed::at(replica)]) {
                let why = "every replica begins there, and nothing travels";
                remarks.push(idle(path("from"), &["replicas".to_owned()], why));
            }
        }
        let ranked = |replica: &Replica| replica.order == Order::Priority;
        if request.priority() > 0 && !replicas.iter().any(ranked) {
            let why = "no replica has the order Priority";
            remarks.push(idle(path("priority"), &["replicas".to_owned()], why));
        }
        let Request::Arrivals(arrivals) = request else {
            continue;
        };
        let reuses =
            |replica: &Replica| matches!(&replica.cache, Some(Cache::Paged(paged)) if paged.prefix);
        let counted = matches!(resolved.scenario.model, Model::Shape(_));
        if counted && arrivals.shared_prefix > 0 && !replicas.iter().any(reuses) {
            let why = "no replica reuses prefixes; give it a cache: Paged(prefix: true)";
            remarks.push(idle(path("shared_prefix"), &["replicas".to_owned()], why));
        }
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
