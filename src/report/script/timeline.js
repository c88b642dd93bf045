// A timeline in its section of the page: what it shows, and what is picked.
const LEAST = 10;
const open = section => {
  const run = decode(JSON.parse(section.querySelector("script").textContent));
  const box = section.querySelector(".lanes"), canvas = box.querySelector("canvas"), pen = canvas.getContext("2d");
  const windowText = section.querySelector(".window"), detailText = section.querySelector(".detail");
  const { tops, height } = arrange(run.lanes);
  const state = { from: 0, to: run.makespan, picked: null, pinned: false };
  let colours = palette(document.documentElement), size = { width: 0, height: 0, scale: 1 }, buffer = new Float32Array(1), held = new Uint8Array(1);
  const followers = [];

  const fit = () => {
    const scale = Math.min(window.devicePixelRatio || 1, 2), width = Math.max(box.clientWidth, 280), tall = box.clientHeight;
    if (width === size.width && tall === size.height && scale === size.scale) return;
    size = { width, height: tall, scale };
    canvas.style.width = width + "px";
    canvas.style.height = tall + "px";
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(tall * scale);
    buffer = new Float32Array(Math.ceil(width * scale));
    held = new Uint8Array(buffer.length);
  };
  const gutter = () => gutterOf(size.width);
  const pixel = () => (state.to - state.from) / (size.width - gutter());
  const timeAt = x => state.from + (x - gutter()) * pixel();
  const told = () => {
    const step = (state.to - state.from) / 1000, { bin } = run.data;
    let text = `${instant(state.from, step)} to ${instant(state.to, step)}: ${duration(state.to - state.from)} of ${duration(run.makespan)}`;
    if (bin && pixel() < bin && !windowAt(run, (state.from + state.to) / 2)) text += `; shares of ${duration(bin)} each, for tasks of this stretch are not held here`;
    return text;
  };
  const paint = () => {
    fit();
    pen.setTransform(size.scale, 0, 0, size.scale, 0, 0);
    draw(pen, { run, tops, buffer, held, colours, gutter: gutter(), top: box.scrollTop, ...size, ...state });
    windowText.textContent = told();
  };
  let queued = false, noting = 0;
  const redraw = () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; paint(); });
  };
  // The address names window and slice, so that a link shows the same.
  const note = () => {
    clearTimeout(noting);
    noting = setTimeout(() => {
      const slice = state.pinned && state.picked.slice >= 0 ? `&slice=${state.picked.slice}` : "";
      try { history.replaceState(null, "", `#from=${state.from}&to=${state.to}${slice}`); } catch { /* too often */ }
    }, 250);
  };
  const show = (a, b, alone) => {
    const length = Math.min(Math.max(b - a, LEAST), Math.max(run.limit, LEAST));
    state.from = Math.round(Math.min(Math.max(a, 0), Math.max(run.limit - length, 0)));
    state.to = Math.round(state.from + length);
    redraw();
    note();
    if (!alone) for (const follower of followers) follower(state.from, state.to);
  };
  const pick = (picked, pinned) => {
    state.picked = picked;
    state.pinned = Boolean(picked) && pinned;
    detailText.textContent = describe(run, picked) + (state.pinned ? "\n  (pinned; a click beside it or Esc lets go)" : "");
    redraw();
    note();
  };
  const laneAt = y => tops.findIndex(top => y + box.scrollTop >= top - 2 && y + box.scrollTop < top + ROW - 2);
  const at = (x, y) => {
    const n = y < size.height - AXIS && x >= gutter() ? laneAt(y) : -1;
    return n < 0 ? null : pickAt(run, n, timeAt(x), pixel());
  };
  // Where a picked thing begins and ends.
  const span = picked => picked.slice >= 0 ? [run.start[picked.slice], run.end(picked.slice)] : [picked.from, picked.to];
  // The slice or bin of lane n that lies nearest to t.
  const nearest = (n, t) => {
    const lane = run.lanes[n], held = isHeld(run, t, t);
    if (!held) return pickAt(run, n, t, pixel());
    const place = above(lane.ends, t), near = [lane.slices[place - 1], lane.slices[place]].filter(i => i !== undefined);
    const away = i => Math.max(run.start[i] - t, t - run.end(i), 0);
    const slice = near.sort((a, b) => away(a) - away(b))[0];
    return slice === undefined ? null : { lane: n, slice };
  };
  const reveal = picked => {
    const [a, b] = span(picked), length = state.to - state.from, y = tops[picked.lane];
    if (b < state.from || a > state.to) show((a + b) / 2 - length / 2, (a + b) / 2 + length / 2);
    if (y - HEAD < box.scrollTop) box.scrollTop = y - HEAD - PAD;
    else if (y + ROW > box.scrollTop + size.height - AXIS) box.scrollTop = y + ROW + AXIS - size.height + PAD;
  };
  const timeline = {
    section, box, canvas, run, redraw, show, follow: follower => followers.push(follower),
    span: () => size.width - gutter(),
    middle: () => (size.width + gutter()) / 2,
    move: pixels => { const moved = pixels * pixel(); show(state.from + moved, state.to + moved); },
    zoom: (x, factor) => {
      const t = timeAt(Math.max(x, gutter()));
      show(t - (t - state.from) * factor, t + (state.to - t) * factor);
    },
    whole: () => show(0, run.limit),
    point: (x, y) => {
      if (state.pinned) return;
      const found = at(x, y), old = state.picked;
      if (found === old || (found && old && found.lane === old.lane && found.slice === old.slice && found.from === old.from)) return;
      pick(found, false);
    },
    pin: (x, y) => pick(at(x, y), true),
    leave: () => { if (!state.pinned && state.picked) pick(null, false); },
    hold: () => pick(state.picked, true),
    release: () => pick(null, false),
    // The next lane with something in it, upwards or downwards.
    choose: by => {
      const middle = (state.from + state.to) / 2, old = state.picked;
      const t = old ? Math.min(Math.max((span(old)[0] + span(old)[1]) / 2, state.from), state.to) : middle;
      for (let n = old ? old.lane + by : by > 0 ? 0 : run.lanes.length - 1; n >= 0 && n < run.lanes.length; n += by) {
        const found = nearest(n, t);
        if (found) { pick(found, true); reveal(found); return; }
      }
    },
    // The slice before or after the picked one.
    step: by => {
      const old = state.picked;
      if (!old) { timeline.choose(1); return; }
      const lane = run.lanes[old.lane];
      let found = null;
      if (old.slice >= 0) {
        const slice = lane.slices[lane.slices.indexOf(old.slice) + by];
        if (slice !== undefined) found = { lane: old.lane, slice };
      } else {
        const { bin } = run.data;
        for (let t = by > 0 ? old.to + bin / 2 : old.from - bin / 2; !found && t > 0 && t < run.makespan; t += by * bin)
          found = pickAt(run, old.lane, t, 0);
      }
      if (found) { pick(found, true); reveal(found); }
    },
    recall: given => {
      const number = key => given.has(key) ? Number(given.get(key)) : NaN;
      fit();
      if (number("to") > number("from")) show(number("from"), number("to"), true);
      const slice = number("slice");
      if (slice >= 0 && run.lane[slice] >= 0) pick({ lane: run.lane[slice], slice }, true);
      // Or a lane, counted from above, and an instant, as if the pointer were there.
      else if (run.lanes[number("lane")] && number("at") >= 0) pick(pickAt(run, number("lane"), number("at"), pixel()), false);
      else pick(null, false);
      paint();
    },
    recolour: () => { colours = palette(document.documentElement); redraw(); },
    // On paper: all lanes, in pictures that fit a page each.
    print: () => {
      const place = section.querySelector(".print"), width = 680, scale = 3, light = palette(place), most = 14;
      place.replaceChildren();
      for (let first = 0, last; first < run.lanes.length; first = last) {
        // As many lanes as fit, those of a node together if that is possible.
        last = Math.min(first + most, run.lanes.length);
        const begins = n => n === run.lanes.length || run.lanes[n].who !== run.lanes[n - 1].who;
        for (let n = last; n > first; n--) if (begins(n)) { last = n; break; }
        const lanes = run.lanes.slice(first, last), sheet = arrange(lanes), paper = document.createElement("canvas");
        const high = sheet.height + AXIS;
        paper.width = width * scale;
        paper.height = high * scale;
        paper.setAttribute("role", "img");
        paper.setAttribute("aria-label", `Timeline, ${told()}`);
        const ink = paper.getContext("2d");
        ink.scale(scale, scale);
        draw(ink, { run: { ...run, lanes }, tops: sheet.tops, top: 0, width, height: high, scale, gutter: 110,
          colours: light, buffer: new Float32Array(width * scale), held: new Uint8Array(width * scale), from: state.from, to: state.to, picked: null });
        place.append(paper);
      }
    },
  };
  // Buttons that lead to the windows whose tasks are held.
  const tools = section.querySelector(".tools");
  for (const [name, start, end] of run.data.windows) {
    if (!name) continue;
    const button = document.createElement("button"), room = (end - start) / 20;
    button.textContent = name;
    button.addEventListener("click", () => show(start - room, end + room));
    tools.append(" ", button);
  }
  box.style.height = `min(${height + AXIS}px, 75vh)`;
  box.querySelector(".spacer").style.height = `${height + AXIS}px`;
  listen(timeline);
  return timeline;
};

const timelines = [...document.querySelectorAll("section.timeline")].map(open);
// Two runs on a page are looked at together, on one scale.
const limit = Math.max(...timelines.map(timeline => timeline.run.limit));
for (const timeline of timelines) { timeline.run.limit = limit; timeline.show(0, limit, true); }
for (const one of timelines) for (const other of timelines) if (one !== other) one.follow((from, to) => other.show(from, to, true));
const recall = () => {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const timeline of timelines) timeline.recall(given);
};
addEventListener("resize", () => timelines.forEach(timeline => timeline.redraw()));
addEventListener("hashchange", recall);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => timelines.forEach(timeline => timeline.recolour()));
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
  timelines.forEach(timeline => timeline.print());
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  for (const place of document.querySelectorAll(".print")) place.replaceChildren();
});
recall();
