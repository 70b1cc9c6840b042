"""Scripts for the studio's page: a slider that is moved, and one that is dragged."""

MOVED = """
(slider) => new Promise((done) => {
  const stage = document.getElementById("stage");
  const shown = () => stage.querySelector("img.after")?.src;
  const spent = [];
  const move = (left) => {
    if (!left) return done(spent);
    const before = shown(), began = performance.now();
    const seen = new MutationObserver(() => {
      if (shown() === before) return;
      seen.disconnect();
      spent.push(performance.now() - began);
      setTimeout(() => move(left - 1), 50);
    });
    seen.observe(stage, { subtree: true, childList: true, attributes: true });
    slider.value = 0.3 + 0.05 * left;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  };
  move(9);
})
"""
"""Moves a slider nine times: ms from each move to the picture that it makes."""
DRAGGED = """
(slider) => new Promise((done) => {
  const shown = new Set(), began = performance.now();
  const step = setInterval(() => {
    const passed = (performance.now() - began) / 1000;
    shown.add(document.querySelector("#stage img.after")?.src);
    if (passed > 2) {
      clearInterval(step);
      return done((shown.size - 1) / passed);
    }
    slider.value = 0.2 + 0.39 * passed;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }, 16);
})
"""
"""Drags a slider for two seconds, an event each frame: pictures a second."""
