// Where the sliders of a part stand, as the studio says.
const stand = () => {
  const said = part.querySelector("[data-of]");
  if (!said) return;
  const values = JSON.parse(said.dataset.values);
  for (const slider of document.querySelectorAll(`#${said.dataset.of} [data-shape]`)) {
    slider.value = values[slider.dataset.shape] ?? 0;
    slider.nextElementSibling.value = slider.value;
  }
};
watch("value", stand);
