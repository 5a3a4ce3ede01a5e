// A free video in place of the link to it. Its token expires within minutes, so it is asked for with the click.
import { openOwnVideo } from "./player.js";

export async function play(link) {
  const stage = link.closest("[data-stage]");
  if ("own" in link.dataset) {
    const answer = await fetch(link.dataset.play, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the video cannot be played: ${answer.status}`);
    const video = await openOwnVideo(stage, await answer.json(), link.dataset.title);
    video.focus();
    video.play().catch(() => {});
    return;
  }
  const frame = document.createElement("iframe");
  frame.src = link.dataset.play;
  frame.title = link.dataset.title;
  frame.allow = "accelerometer; gyroscope; autoplay; encrypted-media; picture-in-picture;";
  frame.allowFullscreen = true;
  stage.replaceChildren(frame);
  frame.focus();
}
