// Runs once for each part of the page that mien draws itself. A click on a button with a data-
// attribute is told to Python; comparing happens here, without a request.
const part = element;

part.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  if (button.dataset.face) {
    // which face is chosen has one place, the list below the picture: each step reads it there
    document.querySelectorAll("#faces input")[button.dataset.face]?.click();
  } else if (Object.keys(button.dataset).length) {
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

const show = (value) => {
  const stage = part.querySelector(".mien-stage");
  if (!stage) return;
  stage.style.setProperty("--cut", `${value}%`);
  stage.toggleAttribute("data-split", value > 0);
};

part.addEventListener("input", (event) => {
  if (event.target.closest(".mien-compare")) {
    part.dataset.cut = event.target.value;
    show(event.target.value);
  }
});

// Dragging over the picture moves the range input, which is what a keyboard moves.
let dragging = false;
const drag = (event) => {
  const stage = part.querySelector(".mien-stage");
  const range = part.querySelector(".mien-compare input");
  if (!stage || !range) return;
  const box = stage.getBoundingClientRect();
  range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
  range.dispatchEvent(new Event("input", { bubbles: true }));
};
part.addEventListener("pointerdown", (event) => {
  if (event.target.closest(".mien-stage") && !event.target.closest("button")) {
    dragging = true;
    event.target.setPointerCapture?.(event.pointerId);
    drag(event);
  }
});
part.addEventListener("pointermove", (event) => dragging && drag(event));
for (const end of ["pointerup", "pointercancel"]) {
  part.addEventListener(end, () => (dragging = false));
}

// A new look keeps the place of the comparison, and the focus.
let focused = "";
part.addEventListener("focusin", (event) => {
  const [kind, value] = Object.entries(event.target.dataset)[0] ?? [];
  focused = kind ? `[data-${kind}="${value}"]` : event.target.matches("input") ? "input" : "";
});
part.addEventListener("focusout", () => setTimeout(() => {
  if (document.activeElement !== document.body) focused = "";
}));
watch("value", () => {
  const range = part.querySelector(".mien-compare input");
  if (range && part.dataset.cut) {
    range.value = part.dataset.cut;
    show(part.dataset.cut);
  }
  if (focused && document.activeElement === document.body) {
    part.querySelector(focused)?.focus({ preventScroll: true });
  }
});
