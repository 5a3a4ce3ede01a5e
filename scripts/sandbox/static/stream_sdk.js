// The events and properties of Cloudflare's player SDK that pages use, over messages to the sandbox's player.
window.Stream = function Stream(frame) {
  const origin = new URL(frame.src).origin;
  const state = { currentTime: 0, duration: 0, paused: true, ended: false, muted: false, volume: 1, playbackRate: 1 };
  const player = new EventTarget();
  const tell = (message) => frame.contentWindow?.postMessage(message, origin);
  for (const name of Object.keys(state)) {
    Object.defineProperty(player, name, {
      get: () => state[name],
      set: (value) => {
        state[name] = value;
        tell({ set: name, value });
      },
    });
  }
  player.play = async () => tell({ call: "play" });
  player.pause = () => tell({ call: "pause" });
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin || !event.data.event) return;
    Object.assign(state, event.data.state);
    player.dispatchEvent(new Event(event.data.event));
  });
  return player;
};
