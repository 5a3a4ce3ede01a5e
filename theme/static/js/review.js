// What a learner says of a course. The address names the course.
import { ask, signInFirst } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";
import { t } from "./words.js";

const course = new URLSearchParams(location.search).get("course") ?? "";
const path = `/api/courses/${encodeURIComponent(course)}/review`;
const form = document.getElementById("review");
const message = document.getElementById("message");
const remove = document.getElementById("delete-review");

try {
  const { course_title, review, lessons_left } = await ask(path);
  document.getElementById("course").textContent = course_title;
  if (lessons_left) {
    showMessage(message, t("Lessons to complete before you can review this course: {count}", { count: lessons_left }), "");
  } else {
    form.hidden = false;
    form.elements.text.value = review?.text ?? "";
    if (review) form.elements.stars.value = String(review.stars);
    remove.hidden = !review;
  }
} catch (refusal) {
  if (refusal.status === 401) signInFirst();
  else showMessage(message, refusal.message);
}

onSubmit(form, message, async ({ stars, text }) => {
  const answer = await ask(path, { method: "PUT", body: { stars: Number(stars), text } });
  form.hidden = true;
  showMessage(message, answer.message, "good");
});

remove.addEventListener("click", async () => {
  try {
    const answer = await ask(path, { method: "DELETE" });
    form.hidden = true;
    showMessage(message, answer.message, "good");
  } catch (refusal) {
    showMessage(message, refusal.message);
  }
});
