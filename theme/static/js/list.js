// A page that is one list from the service: loading, empty, out of reach, or the entries.
import { ask, signInFirst } from "./service.js";

export async function showList(place, address, { name, item, empty, className = "entries" }) {
  const note = (text, ...more) => {
    const paragraph = document.createElement("p");
    paragraph.className = "prose";
    paragraph.append(text, ...more);
    place.replaceChildren(paragraph);
  };
  try {
    const entries = (await ask(address))[name];
    if (!entries.length) return note(...empty());
    const list = document.createElement("ul");
    list.className = className;
    list.append(...entries.map(item));
    place.replaceChildren(list);
  } catch (refusal) {
    if (refusal.status === 401) return signInFirst();
    const again = document.createElement("button");
    again.className = "linklike";
    again.textContent = "Try again";
    again.addEventListener("click", () => showList(place, address, { name, item, empty, className }));
    note(`${refusal.message} `, again);
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
