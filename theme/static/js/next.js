// The end of a lesson: the next one, after a pause that can be cancelled. Nobody who asked for less motion is moved on.
const SECONDS = 8;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class NextLesson {
  constructor(panel) {
    this.panel = panel;
    this.link = panel?.querySelector("a");
    this.text = panel?.querySelector("[data-countdown]");
    this.note = panel?.querySelector("[data-note]"); // read out once, not every second
    this.panel?.querySelector("button").addEventListener("click", () => this.cancel());
    addEventListener("keydown", (event) => event.key === "Escape" && this.cancel());
  }

  offer() {
    if (!this.panel) return;
    // Nobody is moved on by what they cannot see.
    if (document.fullscreenElement) document.exitFullscreen();
    this.note.textContent = calm.matches ? "" : `begins in ${SECONDS} seconds; Escape stops it`;
    this.panel.hidden = false;
    let left = calm.matches ? 0 : SECONDS;
    const tick = () => {
      this.text.textContent = left ? `in ${left} s` : "";
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
