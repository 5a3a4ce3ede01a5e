import { addCopyButtons } from "./code.js";

addCopyButtons(document);

// A free video: its address, with a token that lives for minutes, is asked for on the click and not before.
const link = document.querySelector("[data-play]");
link?.addEventListener("click", (event) => {
  event.preventDefault();
  const frame = document.createElement("iframe");
  frame.src = link.href;
  frame.title = link.dataset.title;
  frame.allow = "accelerometer; gyroscope; autoplay; encrypted-media; picture-in-picture;";
  frame.allowFullscreen = true;
  link.closest("[data-stage]").replaceChildren(frame);
  frame.focus();
});
