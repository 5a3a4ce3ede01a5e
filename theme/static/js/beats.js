// Tells the service, every few seconds, where the learner is. A beat that cannot be sent is kept on this device, under
// its learner's mark, and sent when the service can be reached again; it then says how old it is.
import { ask } from "./service.js";

const SHELF = "beats";
const NEVER_TAKEN = [403, 404, 422]; // a 401 or a 429 passes

// Storage may be full, forbidden or spoilt: then beats are sent all the same, and none is kept.
function read() {
  try {
    return Object(JSON.parse(localStorage.getItem(SHELF) ?? "{}"));
  } catch {
    return {};
  }
}

function write(kept) {
  try {
    localStorage.setItem(SHELF, JSON.stringify(kept));
  } catch {
    // See above.
  }
}

const keptOf = (learner) => read()[learner] ?? {};

function keep(learner, path, body) {
  const own = keptOf(learner);
  // Whoever was at the end and went back while offline has been at the end.
  const furthest = Math.max(own[path]?.furthest ?? 0, body.position_seconds);
  const entry = { ...body, furthest, at: Date.now() };
  write({ ...read(), [learner]: { ...own, [path]: entry } });
  return entry.at;
}

// Only what was sent: a newer beat may have been kept meanwhile.
function drop(learner, path, at) {
  const { [path]: entry, ...others } = keptOf(learner);
  if (entry?.at === at) write({ ...read(), [learner]: others });
}

export const hasKept = (learner) => Object.keys(keptOf(learner)).length > 0;

// A device that is handed on keeps nothing of anybody.
export function forgetKept() {
  write({});
}

// What this learner could not send from this device, or only what belongs to one address.
export async function sendKept(learner, only) {
  for (const [path, { at, furthest, ...body }] of Object.entries(keptOf(learner))) {
    if (only && path !== only) continue;
    const age_seconds = Math.max(0, Math.round((Date.now() - at) / 1000));
    try {
      if (furthest > body.position_seconds) {
        const passed = { ...body, position_seconds: furthest, age_seconds: age_seconds + 1 };
        await ask(path, { method: "POST", body: passed });
      }
      await ask(path, { method: "POST", body: { ...body, age_seconds } });
      drop(learner, path, at);
    } catch (refusal) {
      if (NEVER_TAKEN.includes(refusal.status)) drop(learner, path, at);
    }
  }
}

// Nobody waits longer than this for what was kept.
export const within = (milliseconds, promise) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(resolve, milliseconds))]);

export class Beats {
  constructor({ path, learner, seconds, start, onAnswer }) {
    this.path = path;
    this.learner = learner;
    this.interval = seconds * 1000;
    this.onAnswer = onAnswer;
    this.sent = Math.floor(start); // where it begins is known: only what was watched is told
  }

  watch(player) {
    const stop = new AbortController();
    const now = () => Math.floor(player.currentTime);
    const beat = (last = false) => this.send(now(), player.duration, last);
    const timer = setInterval(() => player.paused || beat(), this.interval);
    for (const event of ["pause", "seeked", "ended"]) player.addEventListener(event, () => beat(), stop);
    addEventListener("pagehide", () => beat(true), stop);
    addEventListener("visibilitychange", () => document.hidden && beat(true), stop);
    addEventListener("online", () => sendKept(this.learner), stop);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }

  async send(position, duration, last) {
    if (!Number.isFinite(position) || position === this.sent) return;
    const body = { position_seconds: position };
    if (duration >= 1) body.duration_seconds = Math.round(duration);
    const at = keep(this.learner, this.path, body);
    try {
      // `keepalive` outlives the page.
      const progress = await ask(this.path, { method: "POST", body, keepalive: last });
      this.sent = position;
      drop(this.learner, this.path, at);
      this.onAnswer(progress);
    } catch {
      // It is kept; the next beat replaces it.
    }
  }
}
