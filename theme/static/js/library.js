import { ask, signInFirst } from "./service.js";

const library = document.getElementById("library");
const template = document.getElementById("shelf-item");

function item(course) {
  const entry = template.content.cloneNode(true);
  const image = entry.querySelector("img");
  image.src = course.thumbnail_url;
  const { completed_lessons: done, total_lessons: total, percent_complete: percent } = course.progress;
  entry.querySelector("h2").textContent = course.title;
  const bar = entry.querySelector("progress");
  bar.value = percent;
  bar.setAttribute("aria-label", `Progress in ${course.title}`);
  entry.querySelector(".progress-row span").textContent = `${done} of ${total} lessons`;
  const link = entry.querySelector("a");
  link.href = course.continue.url;
  link.textContent = done === total && total > 0 ? "Watch again" : course.started ? `Continue: ${course.continue.title}` : "Start";
  return entry;
}

function note(text, ...more) {
  const paragraph = document.createElement("p");
  paragraph.className = "prose";
  paragraph.append(text, ...more);
  library.replaceChildren(paragraph);
}

function courseLink() {
  const link = document.createElement("a");
  link.href = "/courses/";
  link.textContent = "See what there is";
  return link;
}

async function show() {
  try {
    const { courses } = await ask("/api/library");
    if (!courses.length) return note("Nothing here yet. ", courseLink(), ".");
    const shelf = document.createElement("ul");
    shelf.className = "shelf";
    shelf.append(...courses.map(item));
    library.replaceChildren(shelf);
  } catch (refusal) {
    if (refusal.status === 401) return signInFirst();
    const again = document.createElement("button");
    again.className = "linklike";
    again.textContent = "Try again";
    again.addEventListener("click", show);
    note(`${refusal.message} `, again);
  } finally {
    library.setAttribute("aria-busy", "false");
  }
}

show();
