// Tells the service, every few seconds, where the learner is. A beat that cannot be sent is kept on this device, the
// newest of each lesson, and sent when the service can be reached again; it then says how old it is.
import { ask } from "./service.js";

const SHELF = "beats";
const read = () => JSON.parse(localStorage.getItem(SHELF) ?? "{}");
const write = (kept) => localStorage.setItem(SHELF, JSON.stringify(kept));

function keep(path, body) {
  write({ ...read(), [path]: { ...body, at: Date.now() } });
}

function drop(path) {
  const { [path]: _, ...others } = read();
  write(others);
}

// What could not be sent from this device, whichever lesson it was about.
export async function sendKept() {
  for (const [path, { at, ...body }] of Object.entries(read())) {
    const age_seconds = Math.max(0, Math.round((Date.now() - at) / 1000));
    try {
      await ask(path, { method: "POST", body: { ...body, age_seconds } });
      drop(path);
    } catch (refusal) {
      if (refusal.code !== "offline" && refusal.status < 500) drop(path); // it will never be taken
    }
  }
}

addEventListener("online", sendKept);

export class Beats {
  constructor(path, seconds, onAnswer) {
    this.path = path;
    this.interval = seconds * 1000;
    this.onAnswer = onAnswer;
    this.sent = null;
  }

  watch(player) {
    const stop = new AbortController();
    const now = () => Math.floor(player.currentTime);
    const beat = (last = false) => this.send(now(), player.duration, last);
    const timer = setInterval(() => player.paused || beat(), this.interval);
    for (const event of ["pause", "seeked", "ended"]) player.addEventListener(event, () => beat(), stop);
    addEventListener("pagehide", () => beat(true), stop);
    addEventListener("visibilitychange", () => document.hidden && beat(true), stop);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }

  async send(position, duration, last) {
    if (!Number.isFinite(position) || position === this.sent) return;
    const body = { position_seconds: position };
    if (duration >= 1) body.duration_seconds = Math.round(duration);
    keep(this.path, body);
    try {
      // `keepalive` outlives the page.
      const progress = await ask(this.path, { method: "POST", body, keepalive: last });
      this.sent = position;
      drop(this.path);
      this.onAnswer(progress);
    } catch {
      // It is kept; the next beat replaces it.
    }
  }
}
