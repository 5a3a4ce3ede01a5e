// After a lesson, the next one starts, unless that is cancelled or the learner prefers reduced motion.
import { t } from "./words.js";
const SECONDS = 8;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export class NextLesson {
  constructor(panel) {
    this.panel = panel;
    this.link = panel?.querySelector("a");
    this.text = panel?.querySelector("[data-countdown]");
    this.note = panel?.querySelector("[data-note]"); // announced once, not every second
    this.panel?.querySelector("button").addEventListener("click", () => this.cancel());
    addEventListener("keydown", (event) => event.key === "Escape" && this.cancel());
  }

  offer() {
    if (!this.panel) return;
    // The notice must be visible.
    if (document.fullscreenElement) document.exitFullscreen();
    this.note.textContent = reducedMotion.matches ? "" : t("starts in {count} seconds. Press Escape to stay.", { count: SECONDS });
    this.panel.hidden = false;
    let left = reducedMotion.matches ? 0 : SECONDS;
    const tick = () => {
      this.text.textContent = left ? t("in {count} s", { count: left }) : "";
      if (!left) return;
      left -= 1;
      this.timer = setTimeout(left ? tick : () => location.assign(this.link.href), 1000);
    };
    tick();
  }

  cancel() {
    clearTimeout(this.timer);
    if (this.panel) this.panel.hidden = true;
  }
}
