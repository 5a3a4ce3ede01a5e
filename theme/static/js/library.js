import { link, showList } from "./list.js";
import { hasUnsent, sendUnsent, within } from "./heartbeats.js";
import { clock } from "./clock.js";

const template = document.getElementById("shelf-item");

function item(course) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("img").src = course.thumbnail_url;
  const { completed_lessons: done, total_lessons: total, percent_complete: percent } = course.progress;
  entry.querySelector("h2").textContent = course.title;
  const bar = entry.querySelector("progress");
  bar.value = percent;
  bar.setAttribute("aria-label", `Progress in ${course.title}`);
  entry.querySelector(".progress-row span").textContent = `${done} of ${total} lessons`;
  const news = entry.querySelector(".news");
  const added = course.new_lessons;
  const completed = course.completed_at && `Completed on ${new Date(course.completed_at).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" })}.`;
  const fresh = added.length && `New since your last visit: ${added.slice(0, 3).join(", ")}${added.length > 3 ? ` and ${added.length - 3} more` : ""}.`;
  news.textContent = [completed, fresh].filter(Boolean).join(" ");
  news.hidden = !news.textContent;
  const action = entry.querySelector("a");
  action.href = course.continue.url;
  const where = course.continue.position_seconds ? `, at ${clock(course.continue.position_seconds)}` : "";
  action.textContent = done === total && total > 0 ? "Watch again" : course.started ? `Continue: ${course.continue.title}${where}` : "Start";
  return entry;
}

// What this device could not send goes first: the list says where to resume.
async function sendOwnUnsent({ learner }) {
  if (!hasUnsent(learner)) return false;
  await within(2000, sendUnsent(learner));
  return true;
}

showList(document.getElementById("library"), "/api/library", {
  name: "courses",
  item,
  again: sendOwnUnsent,
  className: "shelf",
  empty: () => ["You don’t have any courses yet. ", link("/courses/", "Browse courses")],
});
