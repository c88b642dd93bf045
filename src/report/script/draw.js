// Draws lanes: every column of pixels as high as the share of its time that the lane was busy.
const ROW = 20, BAR = 14, HEAD = 17, AXIS = 34, PAD = 4;
const arrange = lanes => {
  const tops = [];
  let y = PAD;
  lanes.forEach((lane, n) => {
    if (n === 0 || lanes[n - 1].who !== lane.who) y += HEAD;
    tops.push(y);
    y += ROW;
  });
  return { tops, height: y + PAD };
};
const COLOURS = ["compute", "uplink", "downlink", "transfer", "delays", "waiting", "critical", "text", "soft", "line", "page"];
// The colours that the style gives to `element`.
const palette = element => {
  const style = getComputedStyle(element), colours = {};
  for (const name of COLOURS) colours[name] = style.getPropertyValue(`--${name}`).trim();
  return colours;
};
const gutterOf = width => width < 560 ? 84 : 132;

// One outline of all columns: thousands of rectangles would take a frame each.
const drawColumns = (pen, heights, columns, x, column, bottom, tall, least) => {
  let before = 0;
  pen.beginPath();
  pen.moveTo(x, bottom);
  for (let c = 0; c <= columns; c++) {
    const share = c < columns ? heights[c] : 0, height = share > 0 ? Math.max(Math.min(share, 1) * tall, least) : 0;
    if (Math.abs(height - before) < 0.1 && (height > 0) === (before > 0) && c < columns) continue;
    pen.lineTo(x + c * column, bottom - before);
    pen.lineTo(x + c * column, bottom - height);
    before = height;
  }
  pen.closePath();
  pen.fill();
};
const columnsOf = ({ width, gutter, scale }) => Math.max(Math.floor((width - gutter) * scale), 1);
const drawLane = (pen, picture, n) => {
  const { run, from, to, gutter, width, scale, colours, buffer, held } = picture;
  const lane = run.lanes[n], bottom = picture.tops[n] - picture.top + BAR;
  const columns = columnsOf(picture), column = (width - gutter) / columns;
  pen.fillStyle = colours.line;
  pen.fillRect(gutter, bottom + 3, width - gutter, 1);
  shares(run, lane, "busy", from, to, columns, held, buffer);
  pen.fillStyle = colours[lane.kind];
  drawColumns(pen, buffer, columns, gutter, column, bottom, BAR, 1 / scale);
  // Slices that are wide enough stand apart.
  const pixel = (to - from) / (width - gutter);
  if (!run.data.bin || pixel < 2 * run.data.bin) {
    const first = above(lane.ends, from), last = above(lane.starts, to);
    pen.fillStyle = colours.page;
    if (last - first < width) {
      for (let k = first; k < last; k++) {
        const i = lane.slices[k], x = gutter + (run.end(i) - from) / pixel;
        if (run.time[i] / pixel > 4 && x < width && x > gutter) pen.fillRect(x - 0.5, bottom - BAR, 1, BAR);
      }
    }
  }
  shares(run, lane, "path", from, to, columns, held, buffer);
  pen.fillStyle = colours.critical;
  drawColumns(pen, buffer, columns, gutter, column, bottom + 3, 2.5, 1 / scale);
  pen.clearRect(0, bottom - BAR, gutter, ROW);
  pen.fillStyle = colours.soft;
  pen.fillText(lane.name, 8, bottom - 2, gutter - 14);
};
const drawAxis = (pen, picture) => {
  const { run, from, to, gutter, width, height, colours } = picture, y = height - AXIS;
  pen.clearRect(0, y, width, AXIS);
  pen.fillStyle = colours.line;
  pen.fillRect(0, y, width, 1);
  const xOf = t => gutter + (t - from) / (to - from) * (width - gutter);
  if (run.data.bin) {
    pen.fillStyle = colours.text;
    pen.fillText("tasks held", 0, y + 11, gutter - 8);
    for (const [, start, end] of run.data.windows) {
      const a = Math.max(xOf(start), gutter), b = Math.min(xOf(end), width);
      if (b >= a) pen.fillRect(a, y + 4, Math.max(b - a, 2), 5);
    }
  }
  const raw = (to - from) / Math.max((width - gutter) / 100, 1), power = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = Math.max(1, [1, 2, 5, 10].find(factor => factor * power >= raw) * power);
  pen.fillStyle = colours.text;
  for (let k = Math.ceil(from / step); k * step <= to; k++) {
    const x = xOf(k * step), label = instant(k * step, step), wide = pen.measureText(label).width;
    pen.fillRect(x, y + 11, 1, 5);
    if (x + 2 + wide <= width) pen.fillText(label, x + 2, y + 28);
  }
};
// Draws the lanes that the picture is high enough for, and the axis below them.
const draw = (pen, picture) => {
  const { run, tops, top, width, height, gutter, colours, picked } = picture;
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  heldColumns(run, picture.from, picture.to, columnsOf(picture), picture.held);
  run.lanes.forEach((lane, n) => {
    const y = tops[n] - top;
    if (y < -ROW - HEAD || y > height - AXIS) return;
    drawLane(pen, picture, n);
    if (n === 0 || run.lanes[n - 1].who !== lane.who) {
      pen.fillStyle = colours.text;
      pen.fillText(lane.who, 0, y - 4, width);
    }
  });
  if (picked) {
    const i = picked.slice, y = tops[picked.lane] - top;
    const [a, b] = i >= 0 ? [run.start[i], run.end(i)] : [picked.from, picked.to];
    const xOf = t => gutter + (t - picture.from) / (picture.to - picture.from) * (width - gutter);
    const left = Math.max(xOf(a), gutter), right = Math.min(xOf(b), width);
    if (right >= gutter && left <= width) {
      pen.strokeStyle = colours.text;
      pen.lineWidth = picture.pinned ? 2.5 : 1.5;
      pen.strokeRect(left, y - 1, Math.max(right - left, 1), BAR + 2);
    }
  }
  drawAxis(pen, picture);
};
