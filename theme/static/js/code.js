// A copy button on each code block.
import { t } from "./words.js";
export function addCopyButtons(root) {
  for (const block of root.querySelectorAll("pre")) {
    block.tabIndex = 0; // so that wide code can be scrolled by keyboard
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = t("Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = t("Copied");
      } catch {
        button.textContent = t("Select and copy");
      }
      setTimeout(() => (button.textContent = t("Copy")), 2000);
    });
    const frame = document.createElement("div");
    frame.className = "code-frame";
    block.replaceWith(frame);
    frame.append(block, button);
  }
}
