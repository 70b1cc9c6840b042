// A result is made when it is asked for, which takes a moment for a large photograph: the link says
// so meanwhile, and a mistake is told in the page, not kept as a file.
import { tell } from "./mistakes.js";

export const download = async (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  document.body.toggleAttribute("data-saving", true);
  try {
    const answer = await fetch(`${link.href}?make=true`);
    if (!answer.ok) throw new Error((await answer.json()).error?.message);
    const save = Object.assign(document.createElement("a"), { href: link.href, download: link.download });
    document.body.append(save);
    save.click(); // it is there by now
    save.remove();
  } catch (error) {
    tell(error.message || "the download failed: try again");
  }
  link.ariaBusy = null;
  document.body.toggleAttribute("data-saving", document.querySelector("a[aria-busy=true]") !== null);
};
