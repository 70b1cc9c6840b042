// Which sliders of the action units are shown: those of a region whose names have what is sought.
let region = "";

const choose = () => {
  const finder = part.querySelector(".mien-find");
  const words = finder.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hidden = [];
  const regions = new Set();
  for (const [name, [where, told]] of Object.entries(JSON.parse(finder.dataset.sliders))) {
    const fits = (!region || where === region) && words.every((w) => told.toLowerCase().includes(w));
    if (fits) regions.add(where);
    else hidden.push(`#${name}`);
  }
  for (const button of finder.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.region === region));
    const where = button.dataset.region;
    if (where && !regions.has(where)) hidden.push(`#${where}`);
  }
  // a style, for sliders come and go
  finder.querySelector("style").textContent =
    hidden.length ? `${hidden.join()} { display: none !important; }` : "";
  finder.querySelector("p").textContent = regions.size ? "" : "No slider is called that.";
};

part.addEventListener("input", choose);
part.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  region = button.dataset.region;
  choose();
});
