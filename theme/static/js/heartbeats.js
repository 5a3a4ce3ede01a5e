// Tells the service, every few seconds, where the learner is. A heartbeat that cannot be sent is stored in this browser,
// by learner, and sent when the service can be reached again; it then says how old it is.
import { ask } from "./service.js";
import { read, write } from "./storage.js";

const KEY = "beats"; // the name under which browsers have stored them since the first version
const PERMANENT = [403, 404, 422]; // refusals that will not change; a 401 or a 429 will

// learner → path → the newest heartbeat that was not acknowledged
function unsent() {
  try {
    return Object(JSON.parse(read(KEY) ?? "{}"));
  } catch {
    return {};
  }
}

const unsentOf = (learner) => unsent()[learner] ?? {};
const store = (all) => write(KEY, JSON.stringify(all));

function keep(learner, path, body) {
  const own = unsentOf(learner);
  // Somebody who was at the end and went back while offline has watched to the end.
  const furthest = Math.max(own[path]?.furthest ?? 0, body.position_seconds);
  const entry = { ...body, furthest, at: Date.now() };
  store({ ...unsent(), [learner]: { ...own, [path]: entry } });
  return entry.at;
}

// Removes what was sent, unless a newer heartbeat replaced it meanwhile.
function drop(learner, path, at) {
  const { [path]: entry, ...others } = unsentOf(learner);
  if (entry?.at === at) store({ ...unsent(), [learner]: others });
}

export const hasUnsent = (learner) => Object.keys(unsentOf(learner)).length > 0;

// After signing out, the browser stores nothing about anybody.
export function forgetUnsent() {
  store({});
}

// Sends what this learner could not send from this browser, for one path or for all.
export async function sendUnsent(learner, only) {
  for (const [path, { at, furthest, ...body }] of Object.entries(unsentOf(learner))) {
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
      if (PERMANENT.includes(refusal.status)) drop(learner, path, at);
    }
  }
}

// Waits for a promise, but not longer than this.
export const within = (milliseconds, promise) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(resolve, milliseconds))]);

export class Heartbeats {
  constructor({ path, learner, seconds, start, onAnswer }) {
    this.path = path;
    this.learner = learner;
    this.interval = seconds * 1000;
    this.onAnswer = onAnswer;
    this.sent = Math.floor(start); // the service knows where the video starts
  }

  watch(player) {
    const stop = new AbortController();
    const report = (last = false) => this.send(Math.floor(player.currentTime), player.duration, last);
    const timer = setInterval(() => player.paused || report(), this.interval);
    for (const event of ["pause", "seeked", "ended"]) player.addEventListener(event, () => report(), stop);
    addEventListener("pagehide", () => report(true), stop);
    addEventListener("visibilitychange", () => document.hidden && report(true), stop);
    addEventListener("online", () => sendUnsent(this.learner), stop);
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
      // `keepalive` lets the request finish after the page is closed.
      const progress = await ask(this.path, { method: "POST", body, keepalive: last });
      this.sent = position;
      drop(this.learner, this.path, at);
      this.onAnswer(progress);
    } catch {
      // It stays stored; the next heartbeat replaces it.
    }
  }
}
