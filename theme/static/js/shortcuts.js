// Keys for the player. Single letters can get in the way of speech input, so they can be switched off (WCAG 2.1.4).
const SWITCH = "shortcuts-off";
const TYPING = "input, textarea, select, [contenteditable]";
const PRESSING = "button, a, summary";

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
    if (event.target.closest(TYPING)) return;
    if (event.key === "?") return dialog.showModal();
    if (!box.checked) return;
    if (event.key === " " && event.target.closest(PRESSING)) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
