// The button of a part that opens and closes.
part.addEventListener("click", (event) => {
  const button = event.target.closest("[aria-controls]");
  if (!button) return;
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  document.getElementById(button.getAttribute("aria-controls")).classList.toggle("mien-open", open);
});
