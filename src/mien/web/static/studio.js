// Runs once for each part of the page that mien draws itself. A click on a button with a data-
// attribute is told to Python.
const part = element;
const TOLD = ["expression", "sample", "step", "remove", "guest", "turn"];

part.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  if (button.dataset.face) {
    // which face is chosen has one place, the list below the picture: each step reads it there
    document.querySelectorAll("#faces input")[button.dataset.face]?.click();
  } else if (TOLD.some((name) => name in button.dataset)) {
    trigger("click", { ...button.dataset });
  }
});

part.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const text = button.closest("figure").querySelector("pre");
  getSelection().selectAllChildren(text);
  navigator.clipboard?.writeText(text.textContent); // without it, it is selected
});

// What is drawn anew keeps the focus.
let focused = "";
part.addEventListener("focusin", (event) => {
  const [kind, value] = Object.entries(event.target.dataset)[0] ?? [];
  focused = kind ? `[data-${kind}="${value}"]` : event.target.matches("input") ? "input" : "";
});
part.addEventListener("focusout", () => setTimeout(() => {
  if (document.activeElement !== document.body) focused = "";
}));
watch("value", () => {
  const step = part.querySelector("[aria-current]"); // the present step is in sight
  if (step) step.closest("ol").scrollLeft = step.offsetLeft - step.closest("ol").clientWidth / 2;
  if (focused && document.activeElement === document.body) {
    part.querySelector(focused)?.focus({ preventScroll: true });
  }
});
