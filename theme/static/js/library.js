import { link, showList } from "./list.js";
import { hasUnsent, sendUnsent, within } from "./heartbeats.js";
import { clock } from "./clock.js";
import { day, t } from "./words.js";

const template = document.getElementById("shelf-item");

function item(course) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("img").src = course.thumbnail_url;
  const { completed_lessons: done, total_lessons: total, percent_complete: percent } = course.progress;
  entry.querySelector("h2").textContent = course.title;
  const bar = entry.querySelector("progress");
  bar.value = percent;
  bar.setAttribute("aria-label", t("Progress in {course}", { course: course.title }));
  entry.querySelector(".progress-row span").textContent = t("{done} of {total} lessons", { done, total });
  const news = entry.querySelector(".news");
  const added = course.new_lessons;
  const completed = course.completed_at && t("Completed on {day}.", { day: day(course.completed_at) });
  const titles = added.slice(0, 3).join(", ");
  const fresh =
    added.length > 3
      ? t("New since your last visit: {titles} and {count} more.", { titles, count: added.length - 3 })
      : added.length && t("New since your last visit: {titles}.", { titles });
  news.textContent = [completed, fresh].filter(Boolean).join(" ");
  news.hidden = !news.textContent;
  const review = entry.querySelector(".review");
  review.hidden = percent < 25;
  review.href = `/review/?course=${encodeURIComponent(course.slug)}`;
  const action = entry.querySelector(".button");
  action.href = course.continue.url;
  action.textContent = nextStep(course, done === total && total > 0);
  return entry;
}

function nextStep({ started, continue: next }, isDone) {
  if (isDone) return t("Watch again");
  if (!started) return t("Start");
  if (!next.position_seconds) return t("Continue: {lesson}", { lesson: next.title });
  return t("Continue: {lesson}, at {time}", { lesson: next.title, time: clock(next.position_seconds) });
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
  empty: () => [`${t("You don’t have any courses yet.")} `, link("/courses/", t("Browse courses"))],
});
