// Keys that work wherever the focus is, but where one writes.
import { before, zoom } from "./stage.js";

const shown = (name) => {
  const part = document.getElementById(name);
  return part?.getClientRects().length ? part : null;
};
const writes = (target) =>
  target.matches("textarea, select, [contenteditable]") ||
  target.matches("input:not([type=range], [type=radio], [type=checkbox], [type=file])");
const press = (button) => button && !button.disabled && button.click();

const act = (event) => {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") return press(shown(event.shiftKey ? "redo" : "undo"));
    return key === "y" ? press(shown("redo")) : false;
  }
  if (event.altKey) return false;
  if (/^[1-8]$/.test(key)) {
    return press(document.querySelectorAll("#sheet [data-expression]")[key - 1]);
  }
  if (key === "b") return before(true);
  if (key === "+" || key === "=") return zoom(1.5);
  if (key === "-") return zoom(1 / 1.5);
  return key === "0" ? zoom(0) : false;
};
document.addEventListener("keydown", (event) => {
  if (writes(event.target) || !shown("stage")) return;
  if (act(event) !== false) event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  if (event.key.toLowerCase() === "b") before(false);
});
