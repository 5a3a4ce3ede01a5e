// The transcript beside the video: follows it, can be searched, and jumps to where one clicks.
import { clock } from "./clock.js";
import { t } from "./words.js";
const READING = 10_000; // ms since the last scroll in which the learner is assumed to be reading
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export class Transcript {
  constructor(section, onJump) {
    this.section = section;
    this.list = section.querySelector("ol");
    this.search = section.querySelector("input");
    this.count = section.querySelector("[data-count]");
    this.choice = section.querySelector("select");
    this.onJump = onJump;
    this.cues = [];
    this.current = -1;
    this.readAt = 0;
    this.search.addEventListener("input", () => this.filter());
    this.list.addEventListener("click", (event) => this.jump(event.target.closest("button")));
    this.list.addEventListener("keydown", (event) => this.moveFocus(event));
    for (const sign of ["wheel", "touchmove", "keydown"]) {
      this.list.addEventListener(sign, () => (this.readAt = Date.now()), { passive: true });
    }
  }

  show(transcripts) {
    this.section.hidden = transcripts.length === 0;
    if (!transcripts.length) return;
    const names = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });
    this.choice.replaceChildren(...transcripts.map((each) => new Option(names.of(each.language), each.language)));
    this.choice.parentElement.hidden = transcripts.length < 2;
    const choose = () => this.fill(transcripts.find((each) => each.language === this.choice.value));
    this.choice.addEventListener("change", choose);
    choose();
  }

  fill({ language, cues }) {
    this.list.lang = language;
    this.cues = cues;
    this.current = -1;
    this.items = cues.map((cue, index) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.index = index;
      button.tabIndex = index === 0 ? 0 : -1; // one tab stop; arrow keys move inside
      const time = document.createElement("span");
      time.className = "when";
      time.textContent = clock(cue.start);
      const text = document.createElement("span");
      text.dir = "auto"; // captions may be in a language of the other direction
      text.textContent = cue.text;
      button.append(time, text);
      item.append(button);
      return item;
    });
    this.list.replaceChildren(...this.items);
    this.filter();
  }

  follow(seconds) {
    const index = this.cues.findLastIndex((cue) => cue.start <= seconds + 0.2);
    if (index === this.current) return;
    this.items[this.current]?.firstChild.removeAttribute("aria-current");
    this.current = index;
    const item = this.items[index];
    if (!item) return;
    item.firstChild.setAttribute("aria-current", "true");
    // Do not scroll away from a learner who searches or reads.
    if (this.search.value || Date.now() - this.readAt < READING) return;
    const top = item.offsetTop - this.list.offsetTop - this.list.clientHeight / 3;
    this.list.scrollTo({ top, behavior: reducedMotion.matches ? "auto" : "smooth" });
  }

  filter() {
    const wanted = this.search.value.trim().toLocaleLowerCase();
    let found = 0;
    this.cues.forEach((cue, index) => {
      const at = wanted ? cue.text.toLocaleLowerCase().indexOf(wanted) : -1;
      this.items[index].hidden = Boolean(wanted) && at < 0;
      const text = this.items[index].firstChild.lastChild;
      text.textContent = cue.text;
      if (at < 0) return;
      found += 1;
      const range = [cue.text.slice(0, at), cue.text.slice(at, at + wanted.length), cue.text.slice(at + wanted.length)];
      const mark = document.createElement("mark");
      mark.textContent = range[1];
      text.replaceChildren(range[0], mark, range[2]);
    });
    this.count.textContent = wanted ? (found ? t("{count} found", { count: found }) : t("No matches")) : "";
    this.makeTabStop(this.items.find((item) => !item.hidden)?.firstChild);
  }

  makeTabStop(button) {
    for (const each of this.list.querySelectorAll('[tabindex="0"]')) each.tabIndex = -1;
    if (button) button.tabIndex = 0;
  }

  moveFocus(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const button = event.target.closest("button");
    if (!step || !button) return;
    event.preventDefault();
    event.stopPropagation();
    const shown = this.items.filter((item) => !item.hidden).map((item) => item.firstChild);
    const next = shown[shown.indexOf(button) + step];
    if (!next) return;
    this.makeTabStop(next);
    next.focus();
  }

  jump(button) {
    if (!button) return;
    this.makeTabStop(button);
    this.readAt = 0;
    this.onJump(this.cues[button.dataset.index].start);
  }
}
