// The intensity over a film: a click makes a point, dragging moves one, told when the pointer is let
// go. What can be done here can be done by the fields below, too.
const NEAR = 12; // px
let held = null;

const place = (event, line) => {
  const box = line.getBoundingClientRect();
  const u = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  const v = Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / box.height));
  return { at: u * line.dataset.seconds, value: v * line.dataset.high, box };
};
const nearest = (event, line) => {
  const { box } = place(event, line);
  const away = (point) => Math.abs(box.left + (point.dataset.time / line.dataset.seconds) * box.width - event.clientX);
  const points = [...line.querySelectorAll(".point")].sort((a, b) => away(a) - away(b));
  return points.length && away(points[0]) < NEAR ? Number(points[0].dataset.time) : null;
};

export const point = (tell) => {
  document.addEventListener("pointerdown", (event) => {
    const line = event.target.closest?.("svg[data-seconds]");
    if (!line || event.button) return;
    event.preventDefault();
    line.setPointerCapture(event.pointerId);
    held = { line, before: nearest(event, line) };
  });
  document.addEventListener("pointerup", (event) => {
    if (!held) return;
    const { before } = held;
    // an answer may have drawn it anew meanwhile
    const line = held.line.isConnected ? held.line : document.querySelector("svg[data-seconds]");
    held = null;
    if (!line) return;
    const { at, value } = place(event, line);
    tell(line, { at, value, before });
  });
  document.addEventListener("pointercancel", () => (held = null));
};
