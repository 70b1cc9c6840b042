// Steps are asked one after another, in the order in which they were taken, so that an answer never
// tells of less than the page has already shown.
//
// A slider that moves on takes the place of its own step that still waits. What only follows from
// steps (the picture in full, the tiles, where the sliders stand) goes after all of them, once: the
// picture when the slider rests, the others when it is let go.
import { tell } from "./mistakes.js";

const RESTS = 200; // ms without a move or an answer to one
const waiting = [];
let working = false;
let moved = -Infinity;
let down = false; // whether a pointer is held
let wake = () => {};
let idle = [];
document.addEventListener("pointermove", (event) => {
  if (!down || event.buttons) return;
  down = false; // its end was not told: a menu, another window
  wake();
}, true);

for (const [name, held] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
  document.addEventListener(name, () => {
    down = held;
    wake();
  }, true);
}

// A job has `ask`, and: `follows`, whether it only follows, and `soon`, whether a held pointer does
// not delay it; `slot`, the field that it moves, or the name of what follows; `moves`, whether it may
// be one of many.
export const enter = (job) => {
  const others = waiting.filter((other) => other.follows === job.follows);
  const last = job.follows ? others.find((other) => other.slot === job.slot) : others.at(-1);
  if (job.slot && last?.slot === job.slot) waiting.splice(waiting.indexOf(last), 1);
  const at = waiting.findIndex((other) => other.follows);
  const atEnd = at < 0 || (job.follows && !job.soon);
  waiting.splice(atEnd ? waiting.length : at, 0, job);
  if (working) wake();
  else work();
};

// Whether a field is moved by a step that still waits.
export const waits = (slot) => waiting.some((other) => !other.follows && other.slot === slot);

// Once no step waits any more.
export const settled = () =>
  waiting.some((job) => !job.follows) || working === "step"
    ? new Promise((done) => idle.push(done))
    : Promise.resolve();

const pause = (job) => {
  if (!job.follows) return 0;
  if (down && !job.soon) return Infinity;
  return moved + RESTS - performance.now();
};

const work = async () => {
  while (waiting.length) {
    const rest = pause(waiting[0]);
    if (rest > 0) {
      document.body.dataset.working = working = "rest";
      await new Promise((done) => {
        wake = done;
        if (rest < Infinity) setTimeout(done, rest);
      });
      continue;
    }
    const job = waiting.shift();
    working = job.follows ? "follow" : "step";
    document.body.dataset.working = "ask";
    try {
      await job.ask();
    } catch (error) {
      tell(error.message || "the studio does not answer: is it still there?");
    }
    if (job.moves) moved = performance.now();
    if (!waiting.some((other) => !other.follows)) {
      for (const done of idle.splice(0)) done();
    }
  }
  working = false;
  delete document.body.dataset.working;
};
