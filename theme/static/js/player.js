// Cloudflare's player in an iframe, and its SDK.
// https://developers.cloudflare.com/stream/viewing-videos/using-the-stream-player/using-the-player-api/
const loading = new Map();

function script(address) {
  if (!loading.has(address)) {
    loading.set(
      address,
      new Promise((resolve, reject) => {
        const element = document.createElement("script");
        element.src = address;
        element.onload = resolve;
        element.onerror = () => {
          loading.delete(address);
          reject(new Error("the player's script did not load"));
        };
        document.head.append(element);
      }),
    );
  }
  return loading.get(address);
}

// Resolves to the SDK's player, or to null if its script does not load: the video then plays, but its position is
// not saved.
export async function openPlayer(stage, playback, title) {
  const frame = document.createElement("iframe");
  const address = new URL(playback.iframe_url);
  if (playback.captions) address.searchParams.set("defaultTextTrack", playback.captions);
  if (playback.start_seconds > 0) address.searchParams.set("startTime", String(playback.start_seconds));
  frame.src = address;
  frame.title = title;
  frame.allow = "accelerometer; gyroscope; autoplay; encrypted-media; picture-in-picture;";
  frame.allowFullscreen = true;
  stage.replaceChildren(frame);
  try {
    await script(playback.sdk_url);
  } catch {
    return null;
  }
  return window.Stream(frame);
}
