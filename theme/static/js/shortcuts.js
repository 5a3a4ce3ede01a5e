// Keyboard shortcuts for the player. They can be switched off, since single keys interfere with speech input (WCAG 2.1.4).
import { read, remove, write } from "./storage.js";

const SWITCH = "shortcuts-off";
const TYPING = "input, textarea, select, [contenteditable]";
const PRESSING = "button, a, summary";
const SCROLLING = "pre, .table-scroll";
const VERTICAL = ["ArrowUp", "ArrowDown"];
const PLAYER = ".stage, .player-bar";

export function listen(actions, dialog) {
  const box = dialog.querySelector("input");
  box.checked = read(SWITCH) === null;
  box.addEventListener("change", () => {
    if (box.checked) remove(SWITCH);
    else write(SWITCH, "1");
  });
  for (const opener of document.querySelectorAll("[data-shortcuts]")) {
    opener.hidden = false;
    opener.addEventListener("click", () => dialog.showModal());
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || event.defaultPrevented) return;
    if (event.target.closest(TYPING) || !box.checked) return;
    if (event.key === "?") return dialog.showModal();
    if (event.key === " " && event.target.closest(PRESSING)) return;
    // Arrow keys scroll inside scrollable elements; up and down scroll the page, unless the player has focus.
    if (event.key.startsWith("Arrow") && event.target.closest(SCROLLING)) return;
    if (VERTICAL.includes(event.key) && !event.target.closest(PLAYER)) return;
    const action = actions[event.key];
    if (!action || (event.repeat && !event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    action();
  });
}
