// What an answer changes on the page.
import { shown } from "./stage.js";

export const keys = { photograph: sessionStorage.getItem("mien") ?? "", film: "", series: "", spec: { to: "happy" } };

const touched = new Map(); // when each field was last moved, by its id
export const touch = (field) => touched.set(field.id, performance.now());

// The field around an input: what has an id and is set as one.
export const fieldOf = (input) => input.closest(".slider, fieldset, .mien-check, .mien-select");

// Draw parts anew; one that has the focus keeps it.
export const draw = (html) => {
  for (const [id, text] of Object.entries(html ?? {})) {
    const part = document.getElementById(id);
    if (!part) continue;
    const focused = part.contains(document.activeElement) ? name(document.activeElement) : "";
    part.innerHTML = text;
    if (focused) part.querySelector(focused)?.focus({ preventScroll: true });
    const step = part.querySelector("[aria-current]"); // the present step is in sight
    if (step) step.closest("ol").scrollLeft = step.offsetLeft - step.closest("ol").clientWidth / 2;
    if (id === "stage") shown();
  }
};
const name = (element) => {
  const [kind, value] = Object.entries(element.dataset)[0] ?? [];
  if (kind) return `[data-${kind}="${CSS.escape(value)}"]`;
  return element.matches("input") ? "input" : "";
};

export const stand = (id, value) => {
  const field = document.getElementById(id);
  for (const input of field?.querySelectorAll("input, select") ?? []) {
    if (input.type === "radio") input.checked = input.value === String(value);
    else if (input.type === "checkbox") input.checked = Boolean(value);
    else input.value = value;
  }
};

// `since`: when it was asked for, of an answer that only follows. A field that was moved after that,
// or that a waiting step moves (`ahead`), knows better than the answer.
export const apply = (answer, panel, since = Infinity, ahead = () => false) => {
  Object.assign(keys, answer.keys);
  if (answer.keys?.photograph) sessionStorage.setItem("mien", keys.photograph); // for a reload
  if (answer.picture) live(answer.picture);
  draw(answer.html);
  for (const [id, most] of Object.entries(answer.most ?? {})) {
    for (const input of document.querySelectorAll(`#${id} input`)) input.max = most;
  }
  for (const [id, value] of Object.entries(answer.values ?? {})) {
    if ((touched.get(id) ?? -Infinity) <= since && !ahead(id)) stand(id, value);
  }
  if (answer.moved) {
    for (const field of panel.querySelectorAll(".slider.moved")) field.classList.remove("moved");
    for (const id of answer.moved) document.getElementById(id)?.classList.add("moved");
  }
  for (const [id, on] of Object.entries(answer.enabled ?? {})) document.getElementById(id).disabled = !on;
  for (const [guide, on] of Object.entries(answer.shown ?? {})) {
    for (const hint of document.querySelectorAll(`[data-guide=${guide}]`)) hint.hidden = !on;
  }
  if (answer.closed) fold(answer.closed, false);
};

// The picture alone, while a slider is moved.
const live = ({ key, src, alt }) => {
  const image = document.querySelector(`.mien-stage[data-key="${key}"] img.after`);
  if (image) Object.assign(image, { className: "after live", src, alt });
};

export const fold = (id, open) => {
  document.getElementById(id).hidden = !open;
  document.querySelector(`[aria-controls=${id}]`).setAttribute("aria-expanded", String(open));
};
