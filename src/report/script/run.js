// A run as the page holds it. Of some windows of time every slice (a task, or a stretch of waiting);
// of the whole, if not every slice is held, the busy share of equal bins. Every question costs the
// logarithm of the number of slices.
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const digit = new Uint8Array(128);
for (let i = 0; i < 64; i++) digit[DIGITS.charCodeAt(i)] = i;

// Stretches of busy time, none of which meet, and how much was busy before each.
const stretches = slices => {
  const starts = [], ends = [], before = [];
  let sum = 0;
  for (const [start, end] of slices) {
    const last = ends.length - 1;
    if (last >= 0 && start <= ends[last]) {
      if (end > ends[last]) { sum += end - ends[last]; ends[last] = end; }
    } else {
      starts.push(start); ends.push(end); before.push(sum);
      sum += end - start;
    }
  }
  return { starts, ends, before };
};
// The first place of a sorted list whose value is above t.
const above = (list, t) => {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] > t) high = middle; else low = middle + 1;
  }
  return low;
};
const busyBefore = ({ starts, ends, before }, t) => {
  const place = above(starts, t) - 1;
  return place < 0 ? 0 : before[place] + Math.min(t, ends[place]) - starts[place];
};
// Sums over bins of `width`, of `letters` digits each that are `whole` when full.
const summed = (text, letters, whole, width) => {
  const sums = new Float64Array(text.length / letters + 1);
  for (let i = 0; i + 1 < sums.length; i++) {
    let value = 0;
    for (let k = 0; k < letters; k++) value = value * 64 + digit[text.charCodeAt(i * letters + k)];
    sums[i + 1] = sums[i] + value / whole * width;
  }
  return sums;
};
const summedBefore = (sums, width, t) => {
  const place = Math.floor(t / width), last = sums.length - 1;
  if (place >= last) return sums[last];
  return sums[place] + (sums[place + 1] - sums[place]) * (t / width - place);
};

const decode = data => {
  const tasks = data.start.length, waits = data.waits;
  const start = Float64Array.from(data.start.concat(waits.map(wait => wait[1])));
  const time = Float64Array.from(data.time.concat(waits.map(wait => wait[2])));
  const lane = Int32Array.from(data.lane.concat(waits.map(wait => wait[0])));
  const end = i => start[i] + time[i];
  const lanes = data.lanes.map(([who, kind, name], n) => {
    const bins = data.bin ? {
      busy: summed(data.busy[n], 2, 4095, data.bin),
      path: summed(data.path[n], 1, 63, data.bin),
    } : null;
    return { who, kind, name, slices: [], bins };
  });
  for (let i = 0; i < lane.length; i++) if (lane[i] >= 0 && time[i] > 0) lanes[lane[i]].slices.push(i);
  for (const it of lanes) {
    it.slices.sort((a, b) => start[a] - start[b] || a - b);
    it.starts = it.slices.map(i => start[i]);
    // The latest end of a slice and all before it: slices may overlap.
    let latest = 0;
    it.ends = it.slices.map(i => latest = Math.max(latest, end(i)));
    it.held = stretches(it.slices.map(i => [start[i], end(i)]));
    it.path = stretches(it.slices.filter(i => data.critical[i]).map(i => [start[i], end(i)]));
  }
  const makespan = Math.max(data.makespan, 1);
  return { data, tasks, start, time, lane, end, lanes, makespan, limit: makespan };
};
const windowAt = (run, t) => run.data.windows.find(([, start, end]) => t >= start && t <= end);
// Whether slices tell more of the stretch from a to b than bins do.
const isHeld = (run, a, b) => {
  if (!run.data.bin) return true;
  return b - a < 2 * run.data.bin && windowAt(run, (a + b) / 2) !== undefined;
};
// Of which of `columns` equal stretches slices tell more than bins.
const heldColumns = (run, from, to, columns, out) => {
  const width = (to - from) / columns, { bin, windows } = run.data;
  out.fill(bin ? 0 : 1, 0, columns);
  if (!bin || width >= 2 * bin) return;
  const columnOf = t => Math.min(Math.max(Math.round((t - from) / width), 0), columns);
  for (const [, start, end] of windows) out.fill(1, columnOf(start), columnOf(end));
};
// The share of each of `columns` equal stretches in which the lane was busy, or on the critical path.
const shares = (run, lane, what, from, to, columns, held, out) => {
  const width = (to - from) / columns, { bin } = run.data, { bins } = lane;
  const slices = what === "busy" ? lane.held : lane.path;
  let mode = -1, last = 0;
  for (let c = 0; c < columns; c++) {
    const a = from + c * width, b = a + width;
    if (held[c] !== mode) {
      mode = held[c];
      last = mode ? busyBefore(slices, a) : summedBefore(bins[what], bin, a);
    }
    const next = mode ? busyBefore(slices, b) : summedBefore(bins[what], bin, b);
    out[c] = (next - last) / width;
    last = next;
  }
};
// The slices of a lane that meet the stretch from a to b.
const slicesIn = (run, lane, a, b) => {
  const found = [];
  for (let k = above(lane.ends, a); k < lane.slices.length && lane.starts[k] < b; k++)
    if (run.end(lane.slices[k]) > a) found.push(lane.slices[k]);
  return found;
};
// The place of the task that the log numbers so; -1 if it is not held.
const placeOf = (run, number) => {
  const place = above(run.data.number, number) - 1;
  return place >= 0 && run.data.number[place] === number ? place : -1;
};
// What lies at an instant of a lane, seen through a pixel of that width: a slice, several, or a bin.
const pickAt = (run, n, t, pixel) => {
  const lane = run.lanes[n], a = t - pixel / 2, b = t + pixel / 2;
  if (isHeld(run, a, b)) {
    const found = slicesIn(run, lane, a, b);
    if (found.length === 0) return null;
    const slice = found.reduce((one, other) => run.time[other] > run.time[one] ? other : one);
    return found.length === 1 ? { lane: n, slice } : { lane: n, slice, from: a, to: b, count: found.length };
  }
  const bin = run.data.bin;
  const from = Math.max(Math.floor(a / bin), 0) * bin, to = Math.min(Math.max(Math.ceil(b / bin) * bin, from + bin), run.makespan);
  const busy = summedBefore(lane.bins.busy, bin, to) - summedBefore(lane.bins.busy, bin, from);
  return busy > 0 ? { lane: n, slice: -1, from, to, share: busy / (to - from) } : null;
};
