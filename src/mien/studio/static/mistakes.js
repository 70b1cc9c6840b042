// A mistake, told for a while.
export const tell = (message) => {
  const note = document.createElement("button");
  note.className = "mien-mistake";
  note.title = "Close";
  note.textContent = message;
  note.onclick = () => note.remove();
  setTimeout(note.onclick, 12000);
  document.getElementById("mistakes").append(note);
};
