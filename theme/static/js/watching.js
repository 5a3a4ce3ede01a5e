// A lesson's video: starts and resumes it, controls it, and recovers when its token expires or the network fails.
import { ask } from "./service.js";
import { openPlayer } from "./player.js";
import { Heartbeats } from "./heartbeats.js";
import { NextLesson } from "./next_lesson.js";
import { listen } from "./shortcuts.js";
import { clock } from "./clock.js";
import { read, write } from "./storage.js";
import { t } from "./words.js";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const SPEED = "speed";
const STEP = 10; // seconds
const RENEW_BEFORE = 60_000; // ms before a token expires
const PATIENCE = 6_000; // ms that the player may wait before a notice appears
const LONGEST_TIMER = 2 ** 31 - 1;

export class Watching {
  constructor(stage, path, { onProgress, onRefused }) {
    this.stage = stage;
    this.path = path;
    this.onProgress = onProgress;
    this.onRefused = onRefused;
    this.position = 0;
    this.playing = false;
    this.next = new NextLesson(document.getElementById("next-lesson"));
    this.speeds = document.getElementById("speed");
    this.resumed = document.getElementById("resumed");
    this.network = document.getElementById("network");
    this.chapters = [];
    this.controls();
  }

  controls() {
    this.speeds.addEventListener("change", () => this.setSpeed(Number(this.speeds.value)));
    this.resumed.querySelector("button").addEventListener("click", () => {
      this.resumed.hidden = true;
      this.seek(0);
    });
    const faster = (by) => {
      const index = SPEEDS.indexOf(Number(this.speeds.value)) + by;
      if (SPEEDS[index]) this.setSpeed(SPEEDS[index]);
    };
    const go = (rel) => document.querySelector(`.lesson-nav [rel=${rel}]`)?.click();
    const actions = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.seek(this.position - STEP),
      ArrowRight: () => this.seek(this.position + STEP),
      ArrowUp: () => this.changeVolume(0.1),
      ArrowDown: () => this.changeVolume(-0.1),
      ",": () => faster(-1),
      ".": () => faster(1),
      m: () => this.player && (this.player.muted = !this.player.muted),
      f: () => (document.fullscreenElement ? document.exitFullscreen() : this.stage.requestFullscreen?.()),
      n: () => go("next"),
      p: () => go("prev"),
    };
    listen(actions, document.getElementById("shortcuts"));
  }

  // Shows a message instead of the player, with a button to try again.
  say(text, retry) {
    const box = document.createElement("div");
    box.className = "stage-message";
    box.setAttribute("role", "status");
    const line = document.createElement("p");
    line.textContent = text;
    box.append(line);
    if (retry) {
      const button = document.createElement("button");
      button.className = "button";
      button.textContent = t("Try again");
      button.addEventListener("click", retry);
      box.append(button);
    }
    this.stage.replaceChildren(box);
  }

  // Requests a signed URL and plays it, from `position` if the page knows it better than the service.
  async play(position, running = false) {
    const attempt = (this.attempt = (this.attempt ?? 0) + 1); // of two at once, the newer one continues
    clearTimeout(this.renewal);
    this.stopHeartbeats?.();
    const again = () => this.play(position, running);
    if (position === undefined) this.say(t("Loading the video…"));
    let playback;
    try {
      playback = await ask(`${this.path}/playback`);
    } catch (refusal) {
      if (attempt !== this.attempt) return;
      if (refusal.status === 401 || refusal.status === 403) return this.onRefused(refusal);
      return this.say(refusal.message, again);
    }
    if (attempt !== this.attempt) return;
    if (position !== undefined) playback.start_seconds = Math.floor(position);
    this.position = playback.start_seconds;
    const { muted, volume } = this.player ?? {};
    const player = await openPlayer(this.stage, playback, document.title, this.transcripts);
    if (attempt !== this.attempt || !player) return;
    this.player = player;
    this.attach(player, playback, { running, muted, volume });
    if (position === undefined && this.position > 0) {
      this.resumed.querySelector("span").textContent = t("Resumed at {time}.", { time: clock(this.position) });
      this.resumed.hidden = false;
    }
  }

  attach(player, playback, { running, muted, volume }) {
    const opened = Date.now();
    this.playing = running;
    this.expired = false;
    let ready = false;
    const begin = () => {
      if (ready) return;
      ready = true;
      this.setSpeed(Number(read(SPEED) ?? 1));
      if (muted !== undefined) player.muted = muted;
      if (volume !== undefined) player.volume = volume;
      if (running) player.play().catch(() => (this.playing = false));
    };
    // The player may have been ready before its script was loaded.
    for (const event of ["loadedmetadata", "playing", "timeupdate"]) player.addEventListener(event, begin);
    for (const event of ["timeupdate", "seeked"]) player.addEventListener(event, () => this.moved(player.currentTime));
    player.addEventListener("ended", () => this.next.offer());
    for (const event of ["play", "seeking"]) player.addEventListener(event, () => this.next.cancel());
    player.addEventListener("play", () => {
      this.playing = true;
      if (this.expired) this.play(this.position, true);
    });
    player.addEventListener("pause", () => (this.playing = false));
    player.addEventListener("waiting", () => this.showNoticeLater());
    for (const event of ["playing", "timeupdate", "pause"]) player.addEventListener(event, () => this.clearNotice());
    player.addEventListener("ratechange", () => this.noteSpeed(player.playbackRate));
    player.addEventListener("error", () => {
      // An expired token shows as an error: continue with a new one. An error right after that has another cause.
      const position = this.position;
      if (Date.now() - opened > 10_000) return this.play(position, true);
      this.say(t("The video stopped. Your position is saved."), () => this.play(position, true));
    });
    const heartbeats = new Heartbeats({
      path: `${this.path}/progress`,
      learner: this.learner,
      seconds: playback.heartbeat_seconds,
      start: this.position,
      onAnswer: this.onProgress,
    });
    this.stopHeartbeats = heartbeats.watch(player);
    const left = playback.expires_in_seconds * 1000 - RENEW_BEFORE;
    this.renewal = setTimeout(() => this.renew(), Math.min(Math.max(left, 5_000), LONGEST_TIMER));
  }

  // While the video is paused, the player is replaced only at the next press of play.
  renew() {
    if (this.playing) this.play(this.position, true);
    else this.expired = true;
  }

  // The player shows that it is waiting; after a while a notice says why.
  showNoticeLater() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      this.network.textContent = navigator.onLine
        ? t("Your connection is slow. The video will continue when enough of it is loaded.")
        : t("You’re offline. The video will continue when you’re back online. Your position is saved.");
      this.network.hidden = false;
    }, PATIENCE);
  }

  clearNotice() {
    clearTimeout(this.patience);
    this.network.hidden = true;
  }

  follow(transcript, chapters) {
    this.transcript = transcript;
    const section = document.getElementById("chapters");
    section.hidden = chapters.length === 0;
    section.querySelector("ol").replaceChildren();
    this.chapters = chapters.map(({ start, title }) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "linklike";
      button.textContent = title;
      button.addEventListener("click", () => this.seek(start));
      const time = document.createElement("span");
      time.className = "when";
      time.textContent = clock(start);
      item.append(time, button);
      section.querySelector("ol").append(item);
      return { start, button };
    });
  }

  moved(seconds) {
    this.position = seconds;
    this.transcript?.follow(seconds);
    const current = this.chapters.findLast((chapter) => chapter.start <= seconds);
    for (const { button } of this.chapters) {
      if (button === current?.button) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  // Follows what was pressed, since the player reports late: two quick presses are play and pause.
  toggle() {
    if (!this.player) return;
    this.playing = !this.playing;
    if (this.playing) this.player.play().catch(() => (this.playing = false));
    else this.player.pause();
  }

  seek(seconds) {
    if (!this.player) return;
    this.player.currentTime = Math.max(0, seconds);
    this.position = Math.max(0, seconds);
  }

  changeVolume(by) {
    if (this.player) this.player.volume = Math.min(1, Math.max(0, this.player.volume + by));
  }

  setSpeed(speed) {
    const able = this.player && "playbackRate" in this.player;
    this.speeds.closest("label").hidden = !able;
    if (!able) return;
    const chosen = SPEEDS.includes(speed) ? speed : 1;
    this.player.playbackRate = chosen;
    this.noteSpeed(chosen);
  }

  // Also called when the speed was chosen in the player's own menu.
  noteSpeed(speed) {
    if (!SPEEDS.includes(speed)) return;
    this.speeds.value = String(speed);
    write(SPEED, String(speed));
  }
}
