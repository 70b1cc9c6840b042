// The page: what is clicked on, moved and dropped is asked of the studio. What each field does stands
// in its attributes (templates/fields.html).
import { apply, draw, fieldOf, fold, keys, stand, touch } from "./answers.js";
import { download } from "./download.js";
import "./find.js";
import "./keys.js";
import { tell } from "./mistakes.js";
import { presets } from "./presets.js";
import { enter, settled, waits } from "./queue.js";
import "./stage.js";
import { point } from "./timeline.js";

const { session } = document.body.dataset;
const NAMED = ["expression", "sample", "step", "remove", "guest", "turn"];
const FOLLOWS_SOON = ["settled"];

const panelOf = (element) => element.closest("[data-panel]");

// Where the fields of a panel stand that go with each of its events.
const fields = (panel) => {
  const said = {};
  for (const field of panel.querySelectorAll("[data-field]")) {
    const { field: name, many } = field.dataset;
    if (many !== undefined) {
      said[name] ??= [];
      if (field.checked) said[name].push(value(field));
    } else if (field.type !== "radio" || field.checked) {
      said[name] = value(field);
    }
  }
  const face = panel.querySelector("[name=face]:checked");
  if (face) said.face = face.value;
  return said;
};
const NUMBERS = ["intensities", "size"];
// Half of a number, or one beyond the ends; one off the slider's steps is a number as well.
const half = ({ value: text, validity: { badInput, rangeUnderflow, rangeOverflow } }) =>
  text === "" || badInput || rangeUnderflow || rangeOverflow;
const value = (field) => {
  if (field.type === "checkbox" && field.dataset.many === undefined) return field.checked;
  if (field.type === "number" && half(field)) return Number(fieldOf(field).querySelector("[type=range]").value);
  return field.type === "number" || NUMBERS.includes(field.dataset.field) ? Number(field.value) : field.value;
};

const send = async (panel, event, said, files) => {
  const asked = JSON.stringify({ session, ...keys, ...said });
  const json = { "content-type": "application/json" };
  let body = asked;
  if (files) {
    body = new FormData();
    body.append("asked", asked);
    for (const file of files) body.append("files", file, file.name);
  }
  const answer = await fetch(`studio/${panel.dataset.panel}/${event}`, {
    method: "POST", body, headers: files ? {} : json,
  }).catch(() => {
    throw new Error(`the studio does not answer: is it still there?${files ? " It takes 64 MB at once" : ""}`);
  });
  if (!answer.ok) {
    const failed = await answer.json().catch(() => null);
    throw new Error(failed?.error?.message ?? "the studio failed: its log says why");
  }
  return answer;
};

// A step. `slot`: the field that it moves, whose later move takes its place.
const step = (panel, event, said = {}, { slot = "", files = null, done = () => {} } = {}) => {
  const now = { ...fields(panel), ...said };
  enter({
    slot,
    moves: Boolean(slot),
    follows: false,
    ask: async () => {
      try {
        const since = performance.now();
        const answer = await (await send(panel, event, now, files)).json();
        apply(answer, panel, since, (id) => id === slot || waits(id));
        for (const name of answer.then ?? []) follow(panel, name);
      } finally {
        done();
      }
    },
  });
};

const follow = (panel, event) =>
  enter({
    slot: `${panel.id} ${event}`,
    follows: true,
    soon: FOLLOWS_SOON.includes(event),
    ask: async () => {
      const since = performance.now();
      const answer = await (await send(panel, event, fields(panel))).json();
      apply(answer, panel, since, waits);
    },
  });

// What takes long says how far it is until it has ended; a page that is left ends it.
const run = async (panel, event) => {
  await settled();
  try {
    const answer = await send(panel, `run/${event}`, fields(panel));
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let left = "";
    for (;;) {
      const { value: text, done } = await reader.read();
      if (done) return;
      const parts = (left + text).split("\n\n");
      left = parts.pop();
      for (const part of parts) {
        const said = JSON.parse(part.slice("data: ".length));
        if (said.error) tell(said.error.message);
        else apply(said, panel);
      }
    }
  } catch (error) {
    tell(error.message || "the studio does not answer: is it still there?");
  } finally {
    panel.querySelector("[data-run]").disabled = false;
    panel.querySelector("[data-stop]").disabled = true;
    panel.querySelector("#after video")?.scrollIntoView({ block: "nearest" });
  }
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, a");
  if (!button || button.disabled) return;
  const { dataset } = button;
  const panel = panelOf(button);
  if (dataset.made !== undefined) return download(event, button);
  if (button.getAttribute("role") === "tab") return choose(button);
  if (button.hasAttribute("aria-controls")) {
    return fold(button.getAttribute("aria-controls"), button.getAttribute("aria-expanded") !== "true");
  }
  if (dataset.face) return document.querySelectorAll("#faces input")[dataset.face]?.click();
  if (button.matches(".copy")) return copy(button);
  if (dataset.run) return run(panel, dataset.run);
  if (dataset.stop) return step(panel, dataset.stop);
  if (dataset.click) return step(panel, dataset.click);
  const part = button.closest("[data-click]");
  const what = NAMED.find((name) => name in dataset);
  if (part && what) step(panel, part.dataset.click, { what, name: dataset[what] });
});

document.addEventListener("input", (event) => {
  const { target } = event;
  const panel = panelOf(target);
  if (!panel || target.type === "file" || !("input" in target.dataset || "then" in target.dataset || "slider" in target.dataset)) return;
  const field = fieldOf(target);
  if ("slider" in target.dataset) {
    if (half(target)) return;
    for (const twin of field.querySelectorAll("input")) if (twin !== target) twin.value = target.value;
  }
  if (field) touch(field);
  const { input, then, name } = target.dataset;
  const said = { value: "slider" in target.dataset ? Number(target.value) : target.value };
  if (name) said.name = name;
  else if (input === "pose") said.name = "region";
  if (input) step(panel, input, said, { slot: field?.id || input });
  else if (then) step(panel, then, {}, { slot: then });
});

// Files, chosen or dropped.
const upload = (input, files) => {
  const done = () => (input.value = ""); // ready for the same file once more
  step(panelOf(input), input.dataset.upload, {}, { files: [...files], done });
};
document.addEventListener("change", ({ target }) => {
  if (!target.dataset?.upload || !target.files.length) return;
  const named = (file) => target.dataset.ends.split(" ").some((end) => file.name.toLowerCase().endsWith(end));
  const files = "ends" in target.dataset ? [...target.files].filter(named) : [...target.files];
  if (files.length) upload(target, files);
  else tell("there is no such file in that folder");
});
presets((file) => upload(document.querySelector("#preset input"), [file]));
for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => {
    const place = event.target.closest?.(".mien-drop");
    if (!place) { // beside it: a browser would leave the page for the file
      const takes = event.target.matches?.("input[type=file]");
      if (!takes && event.dataTransfer.types.includes("Files")) event.preventDefault();
      return;
    }
    event.preventDefault();
    place.toggleAttribute("data-over", over);
    if (name === "drop" && event.dataTransfer.files.length) {
      const input = place.querySelector("input");
      const files = [...event.dataTransfer.files];
      upload(input, input.multiple ? files : files.slice(0, 1));
    }
  });
}

const choose = (tab) => {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
  }
};
document.addEventListener("keydown", (event) => {
  if (!event.target.matches("[role=tab]")) return;
  const tabs = [...event.target.closest("[role=tablist]").children];
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const next = tabs.at((tabs.indexOf(event.target) + by) % tabs.length);
  choose(next);
  next.focus();
});

const copy = (button) => {
  const text = button.closest("figure").querySelector("pre");
  getSelection().selectAllChildren(text);
  navigator.clipboard?.writeText(text.textContent); // without it, it is selected
};

// What is seen of a choice at once.
document.addEventListener("input", ({ target }) => {
  if (target.name === "by") {
    for (const part of document.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== target.value;
  }
});

point((line, said) => {
  step(panelOf(line), line.closest("[data-click]").dataset.click, said);
});
for (const list of document.querySelectorAll("[role=tablist]")) choose(list.querySelector("[aria-selected=true]"));
// The page is there as long as this is open: what it has open goes with it.
new EventSource(`studio/page/${session}`);
if (keys.photograph) step(document.getElementById("photograph"), "back");
