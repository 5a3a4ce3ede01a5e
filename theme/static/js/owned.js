// On pages of courses, somebody who owns one sees how far they are and a way on, instead of a price. The page asks only
// in a browser that is signed in; nothing moves, since the new lines take the place of old ones.
import { ask } from "./service.js";
import { t } from "./words.js";

const MARK = "[data-course-slug]";

function fill(place, course) {
  const { percent_complete: percent } = course.progress;
  const label = percent === 100 ? t("Watch again") : course.started ? t("Continue") : t("Start");
  for (const element of place.querySelectorAll("[data-for-owners]")) element.hidden = false;
  for (const element of place.querySelectorAll("[data-for-buyers]")) element.hidden = true;
  for (const element of place.querySelectorAll("[data-progress]")) element.textContent = t("{percent} % complete", { percent });
  for (const element of place.querySelectorAll("[data-continue]")) {
    element.href = course.continue.url;
    element.textContent = label;
  }
  for (const bar of place.querySelectorAll("progress")) bar.value = percent;
}

if (document.cookie.split("; ").includes("signed_in=1")) {
  try {
    const { courses } = await ask("/api/library");
    const owned = new Map(courses.map((course) => [course.slug, course]));
    for (const place of document.querySelectorAll(MARK)) {
      const course = owned.get(place.dataset.courseSlug);
      if (course) fill(place, course);
    }
  } catch {
    // The page stays as every visitor sees it.
  }
}
