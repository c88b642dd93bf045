// Moves a timeline: by pointer and fingers, wheel, keys and buttons.
const listen = timeline => {
  const { box, canvas } = timeline;
  const xOf = event => event.clientX - canvas.getBoundingClientRect().left;
  const yOf = event => event.clientY - canvas.getBoundingClientRect().top;
  // The wheel alone scrolls the page, as everywhere.
  box.addEventListener("wheel", event => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey) timeline.zoom(xOf(event), Math.pow(1.003, event.deltaY));
    else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) timeline.move(sideways);
    else return;
    event.preventDefault();
  }, { passive: false });

  // One finger or the mouse drags, two pinch; up and down is the page's own (touch-action: pan-y).
  const fingers = new Map();
  let travelled = 0;
  canvas.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, xOf(event));
    travelled = 0;
    // A pointer may be gone by now.
    try { canvas.setPointerCapture(event.pointerId); } catch { /* it drags within the canvas */ }
  });
  canvas.addEventListener("pointermove", event => {
    const x = xOf(event), before = fingers.get(event.pointerId);
    if (before === undefined) { timeline.point(x, yOf(event)); return; }
    const other = [...fingers].find(([id]) => id !== event.pointerId);
    travelled += Math.abs(x - before);
    fingers.set(event.pointerId, x);
    if (!other) { if (travelled > 3) timeline.move(before - x); return; }
    const apart = Math.abs(x - other[1]), was = Math.abs(before - other[1]);
    if (apart > 8 && was > 8) timeline.zoom((x + other[1]) / 2, was / apart);
    timeline.move((before - x) / 2);
  });
  const lift = event => {
    const single = fingers.size === 1 && fingers.has(event.pointerId);
    fingers.delete(event.pointerId);
    if (single && travelled <= 3 && event.type === "pointerup") timeline.pin(xOf(event), yOf(event));
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => timeline.leave());
  canvas.addEventListener("dblclick", () => timeline.whole());
  box.addEventListener("scroll", () => timeline.redraw(), { passive: true });

  const does = {
    left: () => timeline.move(-timeline.span() / 5), right: () => timeline.move(timeline.span() / 5),
    in: () => timeline.zoom(timeline.middle(), 0.5), out: () => timeline.zoom(timeline.middle(), 2),
    whole: () => timeline.whole(),
  };
  const keys = {
    ArrowLeft: does.left, ArrowRight: does.right, "+": does.in, "=": does.in, "-": does.out, "−": does.out, 0: does.whole,
    ArrowUp: () => timeline.choose(-1), ArrowDown: () => timeline.choose(1),
    p: () => timeline.step(-1), n: () => timeline.step(1),
    Enter: () => timeline.hold(), Escape: () => timeline.release(),
  };
  box.addEventListener("keydown", event => {
    const key = keys[event.key];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    key();
  });
  for (const button of timeline.section.querySelectorAll("button[data-do]"))
    button.addEventListener("click", does[button.dataset.do]);
};
