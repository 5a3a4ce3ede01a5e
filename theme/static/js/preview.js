import { addCopyButtons } from "./code.js";
import { openOwnVideo } from "./player.js";

addCopyButtons(document);

// A free video. Its token expires within minutes, so it is requested on the click.
const link = document.querySelector("[data-play]");
link?.addEventListener("click", (event) => {
  event.preventDefault();
  if ("own" in link.dataset) return playHere();
  const frame = document.createElement("iframe");
  frame.src = link.dataset.play;
  frame.title = link.dataset.title;
  frame.allow = "accelerometer; gyroscope; autoplay; encrypted-media; picture-in-picture;";
  frame.allowFullscreen = true;
  link.closest("[data-stage]").replaceChildren(frame);
  frame.focus();
});

async function playHere() {
  const stage = link.closest("[data-stage]");
  const answer = await fetch(link.dataset.play, { headers: { Accept: "application/json" } });
  if (!answer.ok) return location.assign(link.dataset.play);
  const video = await openOwnVideo(stage, await answer.json(), link.dataset.title);
  video.focus();
  video.play().catch(() => {});
}
