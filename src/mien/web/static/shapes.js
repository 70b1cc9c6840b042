// The sliders of blendshapes: each move is told to Python, by name and value.
part.addEventListener("input", (event) => {
  const { shape } = event.target.dataset;
  if (!shape) return;
  event.target.nextElementSibling.value = event.target.value;
  trigger("input", { shape, value: Number(event.target.value) });
});
