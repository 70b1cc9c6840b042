// Expressions that this browser keeps under a name: what "Save the expression" writes to a file.
import { tell } from "./mistakes.js";
import { settled } from "./queue.js";

const STORE = "mien presets";
const list = document.getElementById("presets");
const name = document.getElementById("preset-name");

const kept = () => {
  try {
    return { ...JSON.parse(localStorage.getItem(STORE)) }; // null: none yet
  } catch {
    return {}; // not ours: the next one is written over it
  }
};

const keep = (all) => {
  try {
    localStorage.setItem(STORE, JSON.stringify(all));
  } catch {
    tell("this browser keeps nothing more: remove a preset, or save the expression as a file");
  }
  draw();
};

const button = (words, choice, label = words) => {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: words, ariaLabel: label });
  Object.assign(made.dataset, choice);
  return made;
};

const draw = () => {
  list.replaceChildren(
    ...Object.keys(kept()).sort().map((called) => {
      const row = document.createElement("li");
      const go = button(called, { preset: called });
      go.className = "go";
      row.append(go, button("×", { forget: called }, `Remove ${called}`));
      return row;
    }),
  );
};

const add = async () => {
  const called = name.value.trim();
  if (!called) {
    name.focus();
    return tell("give the expression a name first");
  }
  await settled();
  const link = document.querySelector('#copies a[download="expression.json"]');
  if (!link) return tell("choose an expression first");
  const answer = await fetch(link.href).catch(() => null);
  if (!answer?.ok) return tell("the studio does not have this expression any more: choose it again");
  const spec = await answer.json();
  if (spec.like) return tell("this expression needs its photograph: give that under Like a photo");
  keep({ ...kept(), [called]: { ...spec, name: called } });
  name.value = "";
};

// `load`: what is done with a preset's file.
export const presets = (load) => {
  document.getElementById("keep-preset").addEventListener("click", add);
  name.addEventListener("keydown", (event) => {
    if (event.key === "Enter") add();
  });
  list.addEventListener("click", ({ target }) => {
    const { preset, forget } = target.closest("button")?.dataset ?? {};
    const { [preset ?? forget]: spec, ...others } = kept();
    if (preset !== undefined) load(new File([JSON.stringify(spec)], "preset.json", { type: "application/json" }));
    if (forget !== undefined) keep(others);
  });
  addEventListener("storage", draw); // another tab kept or removed one
  draw();
};
