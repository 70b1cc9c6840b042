// Which sliders are shown: those of a region whose words have what is sought; with both sides at
// once, or left and right apart.
const choose = (finder) => {
  const words = finder.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
  const region = finder.querySelector("[aria-pressed=true]").dataset.region;
  const apart = document.querySelector("#by-side input").checked;
  let found = false;
  for (const section of document.querySelectorAll(`#${finder.dataset.of} section`)) {
    let here = false;
    for (const row of section.querySelectorAll(".finds")) {
      const known = row.dataset.words.toLowerCase();
      const side = (row.dataset.side ?? "") === "" || (row.dataset.side === "apart") === apart;
      row.hidden = !side || !words.every((word) => known.includes(word));
      here ||= !row.hidden;
    }
    section.hidden = !here || Boolean(region && section.dataset.region !== region);
    found ||= !section.hidden;
  }
  finder.querySelector("p").textContent = found ? "" : "No slider is called that.";
};

const finders = document.querySelectorAll(".mien-find");
for (const finder of finders) {
  finder.addEventListener("input", () => choose(finder));
  finder.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    for (const other of finder.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
    choose(finder);
  });
  choose(finder);
}
document.getElementById("by-side").addEventListener("input", () => finders.forEach(choose));
const kind = document.getElementById("sliders-kind");
const show = () => {
  for (const name of ["units", "shapes"]) {
    document.getElementById(`by-${name}`).hidden = kind.querySelector(":checked").value !== name;
  }
};
kind.addEventListener("input", show);
show();
