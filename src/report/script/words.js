// What is picked, in words.
const taskName = (run, i) => {
  const { data } = run;
  const who = data.node[i] >= 0 ? data.nodes[data.node[i]] : data.lane[i] >= 0 ? data.lanes[data.lane[i]][0] : "";
  return data.stages[data.stage[i]] + (who ? `, ${who}` : "");
};
const servedBy = (run, i) => [
  run.data.batch[i] >= 0 ? run.data.batches[run.data.batch[i]] : "",
  run.data.layer[i] >= 0 ? `layer ${run.data.layer[i]}` : "",
].filter(part => part).join(", ");
// What filled the time from t until task i started, latest first.
const waitedFor = (run, i, t) => {
  const lines = [];
  let due = run.start[i];
  while (due > t) {
    i = placeOf(run, run.data.by[i]);
    if (i < 0) { lines.push(`${duration(due - t)} of what this page does not hold`); break; }
    if (run.time[i] > 0) lines.push(`${duration(due - Math.max(run.start[i], t))} ${taskName(run, i)}`);
    due = run.start[i];
  }
  return lines;
};
const aboutTask = (run, i) => {
  const { data } = run, step = Math.max(run.time[i] / 1000, 1), served = servedBy(run, i);
  const lines = [taskName(run, i) + (served ? ` (${served})` : "") + (data.critical[i] ? ", on the critical path" : "")];
  lines.push(`  start      ${instant(run.start[i], step)}`, `  time       ${duration(run.time[i])}`);
  if (data.flops[i]) lines.push(`  compute    ${operations(data.flops[i])}`);
  if (data.bits[i]) lines.push(`  sends      ${bits(data.bits[i])}`);
  if (data.joules[i]) lines.push(`  energy     ${joules(data.joules[i])}`);
  if (data.by[i] >= 0) {
    const by = placeOf(run, data.by[i]);
    lines.push(`  waited for ${by >= 0 ? taskName(run, by) : `task ${data.by[i]}, which this page does not hold`}`);
  }
  if (data.queued[i]) lines.push(`  queued     ${duration(data.queued[i])}`);
  return lines;
};
const aboutWait = (run, i) => {
  const next = run.data.waits[i - run.tasks][3], step = Math.max(run.time[i] / 1000, 1);
  const lines = [`waiting, ${run.lanes[run.lane[i]].who}`, `  from       ${instant(run.start[i], step)}`, `  for        ${duration(run.time[i])}`];
  if (next < 0) return lines;
  const served = servedBy(run, next), parts = waitedFor(run, next, run.start[i]);
  lines.push(`  until      ${taskName(run, next)}${served ? ` (${served})` : ""}`);
  if (parts.length > 6) parts.splice(6, parts.length, `and ${parts.length - 6} more`);
  lines.push(`  waited for ${parts.join("\n             ")}`);
  return lines;
};
const describe = (run, pick) => {
  if (!pick) return "";
  const lane = run.lanes[pick.lane], i = pick.slice;
  if (i < 0) {
    const step = Math.max((pick.to - pick.from) / 1000, 1);
    return `${lane.who}, ${lane.name}: ${percent(Math.min(pick.share, 1))} busy\n  from       ${instant(pick.from, step)}\n` +
      `  to         ${instant(pick.to, step)}\n  Of this stretch the page holds shares, not tasks. It holds the tasks of the\n` +
      "  windows that are marked below the lanes; airloom plot --perfetto has all.";
  }
  const lines = i >= run.tasks ? aboutWait(run, i) : aboutTask(run, i);
  if (pick.count > 1) lines.unshift(`${pick.count} slices in ${duration(pick.to - pick.from)} of ${lane.who}, ${lane.name}; the longest:`);
  return lines.join("\n");
};
