// The picture: compared with the photograph as it was, zoomed and moved, all without a request.
// What a look is shown in goes on to the next look.
const part = document.getElementById("stage");
const at = { cut: 0, scale: 1, x: 0, y: 0 }; // x, y: how far the picture is moved, in its own sizes
const MOST = 6;

const show = () => {
  const stage = part.querySelector(".mien-stage");
  if (!stage) return;
  const least = 1 - at.scale;
  at.x = Math.min(0, Math.max(least, at.x));
  at.y = Math.min(0, Math.max(least, at.y));
  stage.style.setProperty("--cut", `${at.cut}%`);
  stage.toggleAttribute("data-split", at.cut > 0);
  stage.toggleAttribute("data-zoomed", at.scale > 1);
  stage.querySelector(".view").style.transform =
    `translate(${100 * at.x}%, ${100 * at.y}%) scale(${at.scale})`;
  part.querySelector(".mien-compare input").value = at.cut;
  part.querySelector("[data-view=fit]").textContent = `${Math.round(100 * at.scale)} %`;
};

// By a factor, so that the point (u, v) of the stage, 0 to 1, stays where it is.
const zoom = (factor, u = 0.5, v = 0.5) => {
  const scale = Math.min(MOST, Math.max(1, at.scale * factor));
  at.x = u - ((u - at.x) * scale) / at.scale;
  at.y = v - ((v - at.y) * scale) / at.scale;
  at.scale = scale;
  show();
};
const before = (on) => {
  part.querySelector(".mien-stage")?.toggleAttribute("data-before", on);
  part.querySelector("[data-view=before]")?.setAttribute("aria-pressed", String(on));
};
const place = (event) => {
  const box = part.querySelector(".mien-stage").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};

part.addEventListener("input", (event) => {
  if (!event.target.closest(".mien-compare")) return;
  at.cut = Number(event.target.value);
  show();
});
part.addEventListener("click", (event) => {
  const what = event.target.closest("[data-view]")?.dataset.view;
  if (what === "in") zoom(1.5);
  if (what === "out") zoom(1 / 1.5);
  if (what === "fit") zoom(0);
});
part.addEventListener("wheel", (event) => {
  if (!event.ctrlKey || !event.target.closest(".mien-stage")) return; // else the page scrolls
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 200), ...place(event));
}, { passive: false });
part.addEventListener("dblclick", (event) => {
  if (event.target.closest(".mien-stage")) zoom(at.scale > 1 ? 0 : 2.5, ...place(event));
});

// Before, as long as its button or key is held.
for (const [start, on] of [["pointerdown", true], ["keydown", true], ["pointerup", false], ["pointerleave", false], ["keyup", false], ["blur", false]]) {
  part.addEventListener(start, (event) => {
    const button = event.target.closest?.("[data-view=before]");
    if (button && (!event.key || event.key === " " || event.key === "Enter")) before(on);
  }, true);
}

// Dragging compares; over a picture that is larger than its place, it moves that.
let last = null;
part.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".mien-stage") || event.target.closest("button")) return;
  last = place(event);
  event.target.setPointerCapture?.(event.pointerId);
});
part.addEventListener("pointermove", (event) => {
  if (!last) return;
  const now = place(event);
  if (at.scale > 1) {
    at.x += now[0] - last[0];
    at.y += now[1] - last[1];
  } else {
    at.cut = Math.round(100 * Math.min(1, Math.max(0, now[0])));
  }
  last = now;
  show();
});
for (const end of ["pointerup", "pointercancel"]) part.addEventListener(end, () => (last = null));

// A look was drawn anew. The photograph as it was comes once, when it is opened.
let photograph = "";
export const shown = () => {
  const image = part.querySelector("img.before");
  if (image?.hasAttribute("src")) photograph = image.src;
  else if (image && photograph) image.src = photograph;
  show();
};
export { before, zoom };
