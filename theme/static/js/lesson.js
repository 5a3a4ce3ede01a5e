import { ask, signInFirst } from "./service.js";
import { openPlayer } from "./player.js";
import { Beats } from "./beats.js";

const page = document.getElementById("lesson");
const { course, lesson } = page.dataset;
const path = `/api/learn/${course}/${lesson}`;
const stage = document.getElementById("stage");
const message = document.getElementById("lesson-message");
const completeButton = document.getElementById("complete");
const STATES = { in_progress: " (begun)", completed: " (complete)" };

function mark(slug, status) {
  const link = document.querySelector(`[data-lesson-link="${CSS.escape(slug)}"]`);
  if (!link) return;
  link.dataset.status = status;
  link.querySelector("[data-state]").textContent = STATES[status] ?? "";
}

function showProgress(progress) {
  mark(lesson, progress.status);
  const done = progress.status === "completed";
  completeButton.hidden = false;
  completeButton.textContent = done ? "Complete ✓ — undo" : "Mark as complete";
  completeButton.dataset.done = String(done);
}

function showResources(resources) {
  const section = document.getElementById("downloads");
  section.hidden = resources.length === 0;
  section.querySelector("ul").replaceChildren(
    ...resources.map((resource) => {
      const entry = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/api/resources/${resource.id}/download`;
      link.textContent = resource.name;
      entry.append(link);
      if (resource.size_bytes) {
        const size = document.createElement("span");
        size.className = "soft small";
        size.textContent = ` ${Math.max(1, Math.round(resource.size_bytes / 1024))} KB`;
        entry.append(size);
      }
      return entry;
    }),
  );
}

function stageMessage(text, retry) {
  if (!stage) return;
  const box = document.createElement("div");
  box.className = "stage-message";
  box.setAttribute("role", "status");
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  if (retry) {
    const button = document.createElement("button");
    button.className = "button";
    button.textContent = "Try again";
    button.addEventListener("click", retry);
    box.append(button);
  }
  stage.replaceChildren(box);
}

function refused(refusal) {
  if (refusal.status === 401) return signInFirst();
  if (refusal.status === 403) {
    stageMessage("This lesson belongs to a course you do not have.");
    message.replaceChildren("This course is not in your library. ");
    const link = document.createElement("a");
    link.href = `/courses/${course}/`;
    link.textContent = "See the course";
    message.append(link);
    message.hidden = false;
    return;
  }
  message.textContent = refusal.message;
  message.hidden = false;
}

async function play(startSeconds) {
  stageMessage("Loading the video…");
  let playback;
  try {
    playback = await ask(`${path}/playback`);
  } catch (refusal) {
    if (refusal.status === 401 || refusal.status === 403) return refused(refusal);
    return stageMessage(refusal.message, () => play(startSeconds));
  }
  if (startSeconds !== undefined) playback.start_seconds = startSeconds;
  const player = await openPlayer(stage, playback, document.title);
  if (!player) return;
  let position = playback.start_seconds;
  player.addEventListener("timeupdate", () => (position = player.currentTime));
  // A token that has run out shows as an error of the player: a fresh one goes on where the old one stopped.
  player.addEventListener("error", () => stageMessage("The video stopped.", () => play(Math.floor(position))));
  new Beats(`${path}/progress`, playback.heartbeat_seconds, showProgress).watch(player);
}

async function show() {
  try {
    const data = await ask(path);
    document.getElementById("notes").innerHTML = data.lesson.notes_html ?? "";
    showResources(data.resources);
    for (const [slug, status] of Object.entries(data.statuses)) mark(slug, status);
    showProgress(data.progress);
  } catch (refusal) {
    return refused(refusal);
  }
  if (stage) await play();
}

completeButton.addEventListener("click", async () => {
  const done = completeButton.dataset.done === "true";
  try {
    showProgress(await ask(`${path}/completion`, { method: done ? "DELETE" : "PUT" }));
  } catch (refusal) {
    refused(refusal);
  }
});

show();
