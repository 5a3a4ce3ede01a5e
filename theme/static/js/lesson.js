import { ask, signInFirst } from "./service.js";
import { Watching } from "./watching.js";
import { Transcript } from "./transcript.js";
import { addCopyButtons } from "./code.js";
import { sendUnsent, within } from "./heartbeats.js";
import { t } from "./words.js";

const page = document.getElementById("lesson");
const { course, lesson } = page.dataset.course ? page.dataset : asked();

// A lesson of a course that is no longer in the files has no page of its own; the address names it.
function asked() {
  const names = new URLSearchParams(location.search);
  return { course: names.get("course"), lesson: names.get("lesson") };
}

const path = `/api/learn/${course}/${lesson}`;
const stage = document.getElementById("stage");
const message = document.getElementById("lesson-message");
const completeButton = document.getElementById("complete");
const STATES = { in_progress: ` (${t("in progress")})`, completed: ` (${t("completed")})` };

function showStatus(slug, status) {
  const link = document.querySelector(`[data-lesson-link="${CSS.escape(slug)}"]`);
  if (!link) return;
  link.dataset.status = status;
  link.querySelector("[data-state]").textContent = STATES[status] ?? "";
}

function showProgress(progress) {
  showStatus(lesson, progress.status);
  const done = progress.status === "completed";
  completeButton.textContent = done ? t("Completed ✓ Undo") : t("Mark as complete");
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

function showCurriculum({ title, lesson_title, modules }) {
  document.getElementById("title").textContent = lesson_title;
  document.title = lesson_title;
  const heading = document.createElement("h2");
  heading.textContent = title;
  const parts = modules.flatMap((module) => {
    const name = document.createElement("h3");
    name.textContent = module.title;
    const list = document.createElement("ol");
    list.append(...module.lessons.map(entry));
    return [name, list];
  });
  document.getElementById("curriculum").replaceChildren(heading, ...parts);
}

function entry({ slug, title, url }) {
  const link = document.createElement("a");
  link.href = url;
  link.dataset.lessonLink = slug;
  if (slug === lesson) link.ariaCurrent = "page";
  const [mark, name, state] = ["span", "span", "span"].map((tag) => document.createElement(tag));
  mark.className = "mark";
  mark.ariaHidden = "true";
  name.textContent = title;
  state.className = "visually-hidden";
  state.dataset.state = "";
  name.append(state);
  link.append(mark, name);
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function refused(refusal) {
  if (refusal.status === 401) return signInFirst();
  completeButton.hidden = true;
  page.classList.remove("waiting");
  if (refusal.status === 403) {
    watching?.say(t("Owners of this course can watch this lesson."));
    message.replaceChildren(`${t("You don’t own this course yet.")} `);
    const link = document.createElement("a");
    link.href = `/courses/${course}/`;
    link.textContent = t("See the course");
    message.append(link);
    message.hidden = false;
    return;
  }
  message.textContent = `${refusal.message} `;
  const again = document.createElement("button");
  again.className = "linklike";
  again.textContent = t("Try again");
  again.addEventListener("click", show);
  message.append(again);
  message.hidden = false;
  watching?.say(t("The video will load once you’re connected again."));
}

const watching = stage && new Watching(stage, path, { onProgress: showProgress, onRefused: refused });

function showTranscripts({ learner, lesson: { transcripts, chapters } }) {
  if (!watching) return;
  watching.learner = learner;
  const transcript = new Transcript(document.getElementById("transcript"), (seconds) => watching.seek(seconds));
  transcript.show(transcripts);
  watching.transcripts = transcripts;
  watching.follow(transcript, chapters);
}

async function show() {
  message.hidden = true;
  let data;
  try {
    data = await ask(path);
  } catch (refusal) {
    return refused(refusal);
  }
  const notes = document.getElementById("notes");
  notes.innerHTML = data.lesson.notes_html ?? "";
  addCopyButtons(notes);
  showResources(data.resources);
  if (data.curriculum) showCurriculum(data.curriculum);
  for (const [slug, status] of Object.entries(data.statuses)) showStatus(slug, status);
  completeButton.hidden = false;
  showProgress(data.progress);
  showTranscripts(data);
  page.classList.remove("waiting");
  // What this device could not send says where to resume, so it goes first.
  await within(2000, sendUnsent(data.learner, `${path}/progress`));
  sendUnsent(data.learner);
  if (watching) await watching.play();
}

completeButton.addEventListener("click", async () => {
  const done = completeButton.dataset.done === "true";
  try {
    showProgress(await ask(`${path}/completion`, { method: done ? "DELETE" : "PUT" }));
  } catch (refusal) {
    message.textContent = refusal.message;
    message.hidden = false;
  }
});

show();
