// A page that is one list from the service: loading, empty, unreachable, or the entries.
import { ask, signInFirst } from "./service.js";
import { t } from "./words.js";

export async function showList(place, address, how) {
  const { name, item, empty, again, className = "entries" } = how;
  const note = (text, ...more) => {
    const paragraph = document.createElement("p");
    paragraph.className = "prose";
    paragraph.append(text, ...more);
    place.replaceChildren(paragraph);
  };
  try {
    let answer = await ask(address);
    if (await again?.(answer)) answer = await ask(address);
    const entries = answer[name];
    if (!entries.length) return note(...empty());
    const list = document.createElement("ul");
    list.className = className;
    list.append(...entries.map(item));
    place.replaceChildren(list);
  } catch (refusal) {
    if (refusal.status === 401) return signInFirst();
    const retry = document.createElement("button");
    retry.className = "linklike";
    retry.textContent = t("Try again");
    retry.addEventListener("click", () => showList(place, address, how));
    note(`${refusal.message} `, retry);
  } finally {
    place.setAttribute("aria-busy", "false");
  }
}

export function link(address, text) {
  const element = document.createElement("a");
  element.href = address;
  element.textContent = text;
  return element;
}
