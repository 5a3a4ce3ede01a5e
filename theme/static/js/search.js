// Searches the public pages. The index is loaded with the first letter, and nothing before.
import { t } from "./words.js";

const SHOWN = 20;
const input = document.getElementById("query");
const found = document.getElementById("found");
const results = document.getElementById("results");
let loading;
let latest = 0;

const index = () => (loading ??= import("/pagefind/pagefind.js").then(async (pagefind) => {
  await pagefind.init();
  return pagefind;
}));

// Pagefind marks words in an excerpt that is HTML; here it stays text, with the marks made anew.
function excerpt(html) {
  const line = document.createElement("p");
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const node of parsed.body.childNodes) {
    const mark = node.nodeName === "MARK" ? document.createElement("mark") : document.createElement("span");
    mark.textContent = node.textContent;
    line.append(mark);
  }
  return line;
}

function entry({ url, meta, excerpt: html }) {
  const item = document.createElement("li");
  const heading = document.createElement("h2");
  const link = document.createElement("a");
  link.href = url;
  link.textContent = meta.title;
  heading.append(link);
  item.append(heading, excerpt(html));
  return item;
}

async function search() {
  const asked = (latest += 1);
  const query = input.value.trim();
  history.replaceState(null, "", query ? `?q=${encodeURIComponent(query)}` : location.pathname);
  if (!query) {
    found.textContent = "";
    results.replaceChildren();
    return;
  }
  try {
    const pagefind = await index();
    const answer = await pagefind.debouncedSearch(query, {}, 150);
    if (!answer || asked !== latest) return;
    const pages = await Promise.all(answer.results.slice(0, SHOWN).map((each) => each.data()));
    if (asked !== latest) return;
    found.textContent = answer.results.length ? t("{count} found", { count: answer.results.length }) : t("No matches");
    results.replaceChildren(...pages.map(entry));
  } catch {
    found.textContent = t("The search can’t be loaded right now. Please try again in a minute.");
  }
}

document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
input.addEventListener("input", search);
input.value = new URLSearchParams(location.search).get("q") ?? "";
if (input.value) search();
else input.focus();
