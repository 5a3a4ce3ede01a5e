// Tells the service, every few seconds, where the learner is. A beat that cannot be sent is kept and replaced by the
// next: only the newest position matters.
import { ask } from "./service.js";

export class Beats {
  constructor(path, seconds, onAnswer) {
    this.path = path;
    this.interval = seconds * 1000;
    this.onAnswer = onAnswer;
    this.sent = null;
    this.waiting = null;
  }

  watch(player) {
    const now = () => Math.floor(player.currentTime);
    const beat = () => this.send(now(), player.duration);
    this.timer = setInterval(() => player.paused || beat(), this.interval);
    for (const event of ["pause", "seeked", "ended"]) player.addEventListener(event, beat);
    addEventListener("pagehide", () => this.send(now(), player.duration, true));
  }

  async send(position, duration, last = false) {
    if (!Number.isFinite(position) || position === this.sent) return;
    const body = { position_seconds: position };
    if (duration >= 1) body.duration_seconds = Math.round(duration);
    this.waiting = body;
    try {
      const progress = await ask(this.path, { method: "POST", body, keepalive: last });
      this.sent = position;
      if (this.waiting === body) this.waiting = null;
      this.onAnswer(progress);
    } catch {
      // The next beat says more than this one did.
    }
  }
}
