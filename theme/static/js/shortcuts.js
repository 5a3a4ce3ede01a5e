// Keys for the player. Single letters can get in the way of speech input, so they can be switched off (WCAG 2.1.4).
const SWITCH = "shortcuts-off";
const TYPING = "input, textarea, select, [contenteditable]";
const PRESSING = "button, a, summary";
const SCROLLING = "pre, .table-scroll";
const VERTICAL = ["ArrowUp", "ArrowDown"];
const PLAYER = ".stage, .player-bar";

export function listen(actions, dialog) {
  const box = dialog.querySelector("input");
  box.checked = localStorage.getItem(SWITCH) === null;
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "1");
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
    // Arrows scroll what was made to be scrolled; up and down scroll the page, but at the player.
    if (event.key.startsWith("Arrow") && event.target.closest(SCROLLING)) return;
    if (VERTICAL.includes(event.key) && !event.target.closest(PLAYER)) return;
    const action = actions[event.key];
    if (!action || (event.repeat && !event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    action();
  });
}
