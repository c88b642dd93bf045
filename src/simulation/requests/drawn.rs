//! Streams that are drawn.

use super::prompts::{Asked, Held, Prompts};
use super::{BETWEEN_CHECKS, Lowering, instant};
use crate::results::folder::FileDigest;
use crate::scenario;
use crate::serving::arrivals::Process;
use crate::serving::workload::{Request, Task};
use crate::simulation::error::RunError;
use crate::units::FieldFault;

impl Lowering<'_> {
    /// Adds the requests of a stream, the entry number `entry`, to `requests`.
    pub(super) fn drawn(
        &self,
        entry: usize,
        arrivals: &scenario::Arrivals,
        requests: &mut Vec<Request>,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<(), RunError> {
        let path = format!("workload[{entry}]");
        let most = self
            .reader
            .as_ref()
            .map_or(u64::MAX, |reader| reader.most_of_world);
        let count = u64::from(arrivals.count).min(most) as u32;
        let mut gaps = self.open("workload.arrivals", entry);
        let start = instant(&format!("{path}.start"), arrivals.start)?;
        let process = &arrivals.process;
        let times = process
            .arrivals(requests.len() as u32, count, start, &mut gaps)
            .map_err(|error| {
                let message = format!("the last of them would come too late: {error}");
                FieldFault::new(format!("{path}.process"), message)
            })?;
        let output = self.lengths(&format!("{path}.output"), &arrivals.output, inputs)?;
        let mut outputs = self.open("workload.output_lengths", entry);
        let mut prompts = Prompts::new(self, entry, arrivals, output.most(), inputs)?;
        let nodes = self.sources(arrivals.from.as_deref());
        let users = match process {
            Process::ClosedLoop(users) => users.users as usize,
            _ => usize::MAX,
        };
        let mut held = Held::default();
        requests.reserve(times.len());
        for (place, arrival) in times.into_iter().enumerate() {
            if place % BETWEEN_CHECKS == 0 {
                self.interrupt.check()?;
            }
            let most = output.draw(&mut outputs);
            let (task, shared_prefix) = match prompts.next()? {
                Asked::Count { tokens, shared } => {
                    let (prompt, generate) = (tokens, most);
                    (Task::Tokens { prompt, generate }, shared)
                }
                Asked::Tokens(prompt) => {
                    let max_tokens = most;
                    (Task::Generate { prompt, max_tokens }, 0)
                }
            };
            held.add(&path, &task)?;
            let asker = place % users;
            requests.push(Request {
                from: (!nodes.is_empty()).then(|| nodes[asker % nodes.len()]),
                carries: arrivals.carries,
                priority: arrivals.priority,
                tells_output: true,
                shared_prefix,
                prefix_group: entry as u32,
                entry: entry as u32,
                sampling: arrivals.sampling,
                ..Request::new(arrival, task)
            });
        }
        Ok(())
    }
}
