// Runs once, in the head of the page. Gradio sends an event as soon as it happens and promises no
// order; here each waits until the one before it is answered, so that steps are done as they were
// taken, and an answer never tells of less than the page has already shown.
//
// A slider that moves on takes the place of its own step that still waits. What only follows from
// steps (the picture in full, the tiles, where the sliders stand) goes after all of them, once: when
// the slider is let go, or rests.
{
  const send = window.fetch.bind(window);
  const waiting = [];
  let working = false;

  const said = (address) => String(address.url ?? address).includes("/gradio_api/run/");
  window.fetch = (address, settings) =>
    said(address) ? new Promise((...ends) => enter(new Job(address, settings, ends)))
      : send(address, settings);

  class Job {
    constructor(address, settings, ends) {
      const body = JSON.parse(settings.body);
      this.dependency = window.gradio_config.dependencies.find((d) => d.id === body.fn_index);
      this.trigger = body.trigger_id;
      this.follows = this.dependency.trigger_after != null;
      this.moves = this.dependency.targets.some(([, event]) => event === "input");
      this.slider = body.event_data?.shape; // of several that one part of the page has
      [this.address, this.settings, [this.resolve, this.reject]] = [address, settings, ends];
    }

    replaces(other) {
      if (!other) return false;
      if (this.follows) return String(other.dependency.outputs) === String(this.dependency.outputs);
      return this.moves && other.dependency === this.dependency && other.slider === this.slider;
    }

    async ask() {
      this.sent = performance.now();
      const answer = await send(this.address, this.settings);
      const body = await answer.json();
      if (answer.ok) return respond(this.settle(body), answer.status);
      const message = body.error?.message ?? body.error ?? "the studio failed: its log says why";
      tell(message);
      return respond({ error: message }, answer.status);
    }

    // A field that was moved since this was asked knows better than its answer.
    settle(body) {
      if (!this.follows) return body;
      const data = body.data.map((update, i) => {
        if (update?.__type__ !== "update" || !ahead(this.dependency.outputs[i], this)) return update;
        const { value, ...rest } = update;
        return rest;
      });
      return { ...body, data };
    }
  }

  // What else tells its mistakes here: download.js.
  window.mien = { tell: (message) => tell(message) };

  const respond = (body, status) => new Response(JSON.stringify(body), { status });
  const unchanged = (job) => respond({ data: job.dependency.outputs.map(() => ({ __type__: "update" })) }, 200);

  // A mistake, told for a while; Gradio shows only those of its own queue.
  const tell = (message) => {
    const note = document.createElement("button");
    note.className = "mien-mistake";
    note.title = "Close";
    note.textContent = message;
    note.onclick = () => note.remove();
    setTimeout(note.onclick, 12000);
    place().append(note);
  };
  const place = () => {
    const there = document.getElementById("mistakes");
    if (there) return there;
    const made = document.createElement("div");
    made.id = "mistakes";
    made.setAttribute("role", "alert");
    (document.querySelector(".gradio-container") ?? document.body).append(made);
    return made;
  };

  const enter = (job) => {
    const others = waiting.filter((other) => other.follows === job.follows);
    const last = job.follows ? others.find((other) => job.replaces(other)) : others.at(-1);
    if (job.replaces(last)) {
      waiting.splice(waiting.indexOf(last), 1);
      last.resolve(unchanged(last));
    }
    const at = waiting.findIndex((other) => other.follows);
    waiting.splice(job.follows || at < 0 ? waiting.length : at, 0, job);
    if (working) wake();
    else work();
  };

  const RESTS = 200; // ms without a move or an answer to one
  let moved = -Infinity, released = false, wake = () => {};
  const hand = (up) => () => {
    released = up;
    wake();
  };
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, hand(false), true);
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, hand(true), true);

  const work = async () => {
    working = true;
    document.body.toggleAttribute("data-working", true);
    while (waiting.length) {
      const pause = waiting[0].follows && !released ? moved + RESTS - performance.now() : 0;
      if (pause > 0) {
        await new Promise((done) => { wake = done; setTimeout(done, pause); });
        continue;
      }
      const job = waiting.shift();
      await job.ask().then(job.resolve, job.reject);
      if (job.moves) moved = performance.now();
    }
    working = false;
    document.body.toggleAttribute("data-working", false);
  };

  // What says where the sliders of another part stand.
  const PLACES = { "shapes-at": "shapes", "film-units-at": "film-units" };
  // When each field was last moved, by its id in the page.
  const touched = new Map();
  document.addEventListener("input", ({ target }) => {
    for (let place = target; place; place = place.parentElement) {
      if (place.id) touched.set(place.id, performance.now());
    }
  }, true);
  const ahead = (id, job) => {
    const name = window.gradio_config.components.find((c) => c.id === id)?.props.elem_id;
    return touched.get(PLACES[name] ?? name) > job.sent || waiting.some((other) => other.moves && other.trigger === id);
  };
}
