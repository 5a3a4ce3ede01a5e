import { ask } from "./service.js";
import { t } from "./words.js";

function show(place, course) {
  const { percent_complete: percent } = course.progress;
  const label = percent === 100 ? t("Watch again") : course.started ? t("Continue") : t("Start");
  for (const element of place.querySelectorAll("[data-for-owners]")) element.hidden = false;
  for (const element of place.querySelectorAll("[data-for-buyers]")) element.hidden = true;
  for (const element of place.querySelectorAll("[data-progress]")) element.textContent = t("{percent}% complete", { percent });
  for (const element of place.querySelectorAll("[data-continue]")) {
    element.href = course.continue.url;
    element.textContent = label;
  }
  for (const bar of place.querySelectorAll("progress")) bar.value = percent;
}

export async function showOwned() {
  const { courses } = await ask("/api/library");
  const owned = new Map(courses.map((course) => [course.slug, course]));
  for (const place of document.querySelectorAll("[data-course-slug]")) {
    const course = owned.get(place.dataset.courseSlug);
    if (course) show(place, course);
  }
}
