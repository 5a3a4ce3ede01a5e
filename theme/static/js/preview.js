import { addCopyButtons } from "./code.js";

addCopyButtons(document);

// A free video. Its token expires within minutes, so it is requested on the click.
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
