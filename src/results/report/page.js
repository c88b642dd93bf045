"use strict";
// Draws the timeline: only what is visible, found by binary search per track, slices
// below a pixel merged. Cost of a frame: O(pixels x tracks x log tasks), whatever their number.
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const canvas = document.getElementById("timeline");
  const windowText = document.getElementById("window");
  const hoverText = document.getElementById("hover");
  const pen = canvas.getContext("2d");
  const LABEL = 150, ROW = 18, GAP = 8, AXIS = 26, LEAST = 10;
  const COLOUR = { compute: "#0072b2", uplink: "#e69f00", downlink: "#009e73", transfer: "#cc79a7", delays: "#999", waiting: "#ddd" };
  const tasks = run.start.length;

  // Slices: tasks first, then waits. A slice of a wait names the task that ended it.
  const start = Float64Array.from(run.start.concat(run.waits.map(w => w[1])));
  const time = Float64Array.from(run.time.concat(run.waits.map(w => w[2])));
  const track = Int32Array.from(run.track.concat(run.waits.map(w => w[0])));
  const end = i => start[i] + time[i];
  const rows = run.rows.map(() => []);
  for (let i = 0; i < track.length; i++) if (track[i] >= 0 && time[i] > 0) rows[track[i]].push(i);
  for (const row of rows) row.sort((a, b) => start[a] - start[b] || a - b);

  const critical = new Uint8Array(track.length);
  let last = -1;
  for (let i = 0; i < tasks; i++) if (last < 0 || end(i) >= end(last)) last = i;
  for (let i = last; i >= 0; i = run.by[i]) critical[i] = 1;

  const tops = [];
  let height = GAP;
  run.rows.forEach(([owner], n) => {
    if (n > 0 && run.rows[n - 1][0] !== owner) height += GAP;
    tops.push(height);
    height += ROW;
  });
  const bottom = height;
  height += AXIS;

  let from = 0, to = Math.max(run.makespan, 1), picked = -1, width = 800;

  const trim = value => Number(value.toPrecision(12)).toString();
  const readable = ps => {
    const size = Math.abs(ps);
    for (const [scale, unit] of [[1e12, "s"], [1e9, "ms"], [1e6, "µs"], [1e3, "ns"]])
      if (size >= scale) return trim(ps / scale) + " " + unit;
    return ps + " ps";
  };
  const xOf = t => LABEL + (t - from) / (to - from) * (width - LABEL);
  const timeAt = x => from + (x - LABEL) / (width - LABEL) * (to - from);

  // The first slice of a row that ends after t.
  const firstAfter = (row, t) => {
    let low = 0, high = row.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (end(row[middle]) > t) high = middle; else low = middle + 1;
    }
    return low;
  };

  const drawRow = (row, n) => {
    const top = tops[n], tall = ROW - 5, pixel = (to - from) / (width - LABEL);
    pen.fillStyle = "#eee";
    pen.fillRect(LABEL, top + ROW - 4, width - LABEL, 1);
    pen.fillStyle = COLOUR[run.rows[n][1]];
    // Neighbouring pixels of merged slices, and stretches of the critical path, are one
    // rectangle each.
    let left = -1, right = -1;
    const marks = [];
    const flush = () => {
      if (right > left) pen.fillRect(left, top, right - left, tall);
      left = right = -1;
    };
    const mark = (a, b) => {
      const previous = marks[marks.length - 1];
      if (previous && previous[1] >= a) previous[1] = b; else marks.push([a, b]);
    };
    let place = firstAfter(row, from);
    while (place < row.length && start[row[place]] < to) {
      const i = row[place];
      const a = Math.max(xOf(start[i]), LABEL), b = Math.min(xOf(end(i)), width);
      if (b - a >= 1) {
        flush();
        pen.fillRect(a, top, b - a > 4 ? b - a - 1 : b - a, tall);
        if (critical[i]) mark(a, b);
        place++;
      } else {
        const column = Math.floor(a);
        if (column > right) { flush(); left = column; }
        right = column + 1;
        if (critical[i]) mark(column, column + 1);
        place = Math.max(place + 1, firstAfter(row, from + (column + 1 - LABEL) * pixel));
      }
    }
    flush();
    pen.fillStyle = "#d00000";
    for (const [a, b] of marks) pen.fillRect(a, top + tall, b - a, 2);
  };

  const drawAxis = () => {
    const raw = (to - from) / 8, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = Math.max(1, [1, 2, 5, 10].find(f => f * power >= raw) * power);
    pen.fillStyle = "#000";
    for (let k = Math.ceil(from / step); k * step <= to; k++) {
      const x = xOf(k * step);
      pen.fillRect(x, bottom, 1, 5);
      pen.fillText(readable(k * step), Math.min(x, width - 60), bottom + 18);
    }
  };

  const draw = () => {
    const scale = window.devicePixelRatio || 1;
    width = Math.max(canvas.clientWidth, 400);
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif";
    rows.forEach(drawRow);
    pen.clearRect(0, 0, LABEL - 1, height);
    run.rows.forEach(([owner, , lane], n) => {
      pen.fillStyle = "#000";
      if (n === 0 || run.rows[n - 1][0] !== owner) pen.fillText(owner, 0, tops[n] + 11, 80);
      pen.fillStyle = "#666";
      pen.fillText(lane, 84, tops[n] + 11);
    });
    drawAxis();
    if (picked >= 0) {
      pen.strokeStyle = "#000";
      pen.lineWidth = 2;
      const left = Math.max(xOf(start[picked]), LABEL);
      pen.strokeRect(left, tops[track[picked]] - 1, Math.max(Math.min(xOf(end(picked)), width) - left, 1), ROW - 3);
    }
    windowText.textContent = `${readable(from)} to ${readable(to)}: ${readable(to - from)} of ${readable(run.makespan)}`;
  };

  const name = i => {
    const who = run.node[i] >= 0 ? run.nodes[run.node[i]] : track[i] >= 0 ? run.rows[track[i]][0] : "";
    return run.stages[run.stage[i]] + (who ? `, ${who}` : "");
  };
  const placeOf = i => [
    run.batch[i] >= 0 ? run.batches[run.batch[i]] : "",
    run.layer[i] >= 0 ? `layer ${run.layer[i]}` : "",
  ].filter(part => part).join(", ");
  // What filled the time from t until task i started, latest first.
  const waitedFor = (i, t) => {
    const lines = [];
    for (let k = run.by[i]; k >= 0 && end(k) > t; k = run.by[k])
      if (time[k] > 0) lines.push(`${readable(end(k) - Math.max(start[k], t))} ${name(k)}`);
    return lines;
  };
  const describe = i => {
    if (i < 0) return "";
    if (i >= tasks) {
      const next = run.waits[i - tasks][3], lines = waitedFor(next, start[i]);
      const more = lines.length > 6 ? `\n           and ${lines.length - 6} more` : "";
      return `waiting, ${run.rows[track[i]][0]}\n  from       ${readable(start[i])}\n  for        ${readable(time[i])}\n` +
        `  until      ${name(next)} (${placeOf(next)})\n  waited for ${lines.slice(0, 6).join("\n             ")}${more}`;
    }
    const lines = [name(i) + (placeOf(i) ? ` (${placeOf(i)})` : "") + (critical[i] ? ", on the critical path" : "")];
    lines.push(`  start      ${readable(start[i])}`, `  time       ${readable(time[i])}`);
    if (run.flops[i]) lines.push(`  FLOPs      ${run.flops[i]}`);
    if (run.bits[i]) lines.push(`  bits       ${run.bits[i]}`);
    if (run.joules[i]) lines.push(`  joules     ${run.joules[i]}`);
    if (run.by[i] >= 0) lines.push(`  waited for ${name(run.by[i])}`);
    if (run.queued[i]) lines.push(`  queued     ${readable(run.queued[i])}`);
    return lines.join("\n");
  };

  const at = (x, y) => {
    const n = tops.findIndex(top => y >= top && y < top + ROW);
    if (n < 0 || x < LABEL) return -1;
    const slack = (to - from) / (width - LABEL), t = timeAt(x);
    const place = firstAfter(rows[n], t), i = rows[n][place];
    if (i !== undefined && start[i] <= t) return i;
    // A slice thinner than a pixel is drawn in the pixel that it lies in.
    for (const near of [rows[n][place - 1], i])
      if (near !== undefined && time[near] < slack && end(near) > t - slack && start[near] < t + slack) return near;
    return -1;
  };

  const show = (a, b) => {
    const length = Math.min(Math.max(b - a, LEAST), Math.max(run.makespan, LEAST));
    from = Math.round(Math.min(Math.max(a, 0), Math.max(run.makespan - length, 0)));
    to = Math.round(from + length);
  };
  const pick = i => { picked = i; hoverText.textContent = describe(i); };
  let queued = false;
  const redraw = () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; draw(); });
  };
  let noting = 0;
  // The address names window and task, so that a link shows the same.
  const note = () => {
    clearTimeout(noting);
    noting = setTimeout(() => {
      const slice = picked >= 0 ? `&slice=${picked}` : "";
      history.replaceState(null, "", `#from=${from}&to=${to}${slice}`);
    }, 200);
  };
  const recall = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const number = key => given.has(key) ? Number(given.get(key)) : NaN;
    if (number("to") > number("from")) show(number("from"), number("to"));
    const slice = number("slice");
    pick(Number.isInteger(slice) && slice >= 0 && slice < track.length && track[slice] >= 0 ? slice : -1);
    draw();
    // Or a row, counted from above, and an instant, as if the pointer were there.
    if (number("row") < rows.length && number("at") >= 0) { pick(at(xOf(number("at")), tops[number("row")])); draw(); }
  };
  const zoom = (x, factor) => {
    const t = timeAt(Math.max(x, LABEL));
    show(t - (t - from) * factor, t + (to - t) * factor);
    redraw();
    note();
  };

  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    zoom(event.offsetX, Math.pow(1.0015, event.deltaY));
  }, { passive: false });
  let grip = null;
  canvas.addEventListener("pointerdown", event => { grip = [event.offsetX, from, to]; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointerup", () => { grip = null; });
  canvas.addEventListener("pointermove", event => {
    if (grip) {
      const moved = (event.offsetX - grip[0]) / (width - LABEL) * (grip[2] - grip[1]);
      show(grip[1] - moved, grip[2] - moved);
    } else {
      const i = at(event.offsetX, event.offsetY);
      if (i === picked) return;
      pick(i);
    }
    redraw();
    note();
  });
  const whole = () => { show(0, run.makespan); redraw(); note(); };
  canvas.addEventListener("dblclick", whole);
  canvas.addEventListener("keydown", event => {
    const middle = (LABEL + width) / 2, step = (to - from) / 5;
    const does = {
      "+": () => zoom(middle, 0.5), "=": () => zoom(middle, 0.5), "-": () => zoom(middle, 2), "0": whole,
      ArrowLeft: () => { show(from - step, to - step); redraw(); note(); },
      ArrowRight: () => { show(from + step, to + step); redraw(); note(); },
    }[event.key];
    if (does) { event.preventDefault(); does(); }
  });
  addEventListener("resize", redraw);
  addEventListener("hashchange", recall);
  recall();
})();
