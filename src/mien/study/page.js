'use strict';
(() => {
  const study = JSON.parse(document.getElementById('study').textContent);
  const at = (id) => document.getElementById(id);
  const PAUSE = 400; // ms of empty grey between two trials

  // A participant's order depends on the study and on the code alone: xmur3 and mulberry32.
  function seeded(text) {
    let h = 1779033703 ^ text.length;
    for (let i = 0; i < text.length; i++) {
      h = Math.imul(h ^ text.charCodeAt(i), 3432918353);
      h = (h << 13) | (h >>> 19);
    }
    h = Math.imul(h ^ (h >>> 16), 2246822507);
    h = Math.imul(h ^ (h >>> 13), 3266489909);
    let a = (h ^= h >>> 16) >>> 0;
    return () => {
      a = (a + 0x6d2b79f5) | 0;
      let t = Math.imul(a ^ (a >>> 15), 1 | a);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function shuffled(list, random) {
    const out = list.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const k = Math.floor(random() * (i + 1));
      [out[i], out[k]] = [out[k], out[i]];
    }
    return out;
  }

  // Attention checks lie apart: one at random within each of as many equal stretches.
  function ordered(random) {
    const checks = shuffled(study.trials.filter((t) => t.check), random);
    const others = shuffled(study.trials.filter((t) => !t.check), random);
    const stretch = others.length / Math.max(1, checks.length);
    checks.forEach((check, i) => {
      const place = Math.round((i + 0.25 + 0.75 * random()) * stretch);
      others.splice(Math.min(others.length, place + i), 0, check);
    });
    return others;
  }

  let participant = '', list = 1, order = [], number = 0, shown = 0, ready = false;
  const rows = [['study', 'participant', 'list', 'position', 'trial', 'answer', 'seconds']];

  function show(name) {
    for (const part of ['start', 'trial', 'end']) at(part).hidden = part !== name;
  }

  async function next() {
    if (number === order.length) return finish();
    const trial = order[number];
    const sides = list === 1 ? ['left', 'right'] : ['right', 'left']; // list 2 sees all mirrored
    at('pictures').classList.add('blank');
    at('question').textContent = trial.question;
    at('first').textContent = trial.choices[0][1];
    at('second').textContent = trial.choices[1][1];
    at('bar').max = order.length;
    at('bar').value = number;
    at('done').textContent = `${number + 1} of ${order.length}`;
    at('left').src = study.pictures[trial[sides[0]]];
    at('right').src = study.pictures[trial[sides[1]]];
    await Promise.all([
      at('left').decode(), at('right').decode(), new Promise((done) => setTimeout(done, PAUSE)),
    ]);
    at('pictures').classList.remove('blank');
    requestAnimationFrame(() => { shown = performance.now(); ready = true; });
  }

  function answer(which) {
    if (!ready) return;
    ready = false;
    const trial = order[number];
    const seconds = ((performance.now() - shown) / 1000).toFixed(3);
    rows.push([study.id, participant, list, number + 1, trial.id, trial.choices[which][0], seconds]);
    number += 1;
    next();
  }

  function leaving(event) { event.preventDefault(); }

  function finish() {
    const text = rows.map((row) => row.join(',')).join('\n') + '\n';
    at('text').value = text;
    at('save').href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    at('save').download = `answers-${study.id}-${participant}.csv`;
    at('save').addEventListener('click', () => removeEventListener('beforeunload', leaving));
    show('end');
  }

  at('begin').addEventListener('submit', (event) => {
    event.preventDefault();
    participant = at('participant').value;
    const random = seeded(`${study.id}/${participant}`);
    list = random() < 0.5 ? 1 : 2;
    order = ordered(random);
    addEventListener('beforeunload', leaving);
    show('trial');
    next();
  });
  at('first').addEventListener('click', () => answer(0));
  at('second').addEventListener('click', () => answer(1));
  addEventListener('keydown', (event) => {
    if (event.repeat || at('trial').hidden) return;
    if (event.key === 'ArrowLeft') answer(0);
    if (event.key === 'ArrowRight') answer(1);
  });
})();
