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

// A video of one's own: browsers play HLS themselves, or hls.js does, which is loaded then. The element has the same
// properties and events as Stream's player. `transcripts` become captions.
export async function openOwnVideo(stage, playback, title, transcripts = []) {
  const video = document.createElement("video");
  video.controls = true;
  video.playsInline = true;
  video.preload = "metadata";
  video.title = title;
  video.setAttribute("aria-label", title);
  if (playback.poster_url) video.poster = playback.poster_url;
  for (const { language, cues } of transcripts) {
    const track = video.addTextTrack("captions", new Intl.DisplayNames([language], { type: "language" }).of(language), language);
    for (const { start, end, text } of cues) track.addCue(new VTTCue(start, end, text));
    track.mode = language === playback.captions ? "showing" : "disabled";
  }
  const start = playback.start_seconds ?? 0;
  if (start > 0) video.addEventListener("loadedmetadata", () => (video.currentTime = start), { once: true });
  stage.replaceChildren(video);
  if (video.canPlayType("application/vnd.apple.mpegurl")) {
    video.src = playback.hls_url;
  } else {
    const { default: Hls } = await import("./vendor/hls.js");
    const hls = new Hls({ enableWorker: false });
    hls.on(Hls.Events.ERROR, (_, { fatal }) => fatal && video.dispatchEvent(new Event("error")));
    hls.loadSource(playback.hls_url);
    hls.attachMedia(video);
  }
  return video;
}

// Resolves to the SDK's player, or to null if its script does not load: the video then plays, but its position is
// not saved.
export async function openPlayer(stage, playback, title, transcripts) {
  if (playback.hls_url) return openOwnVideo(stage, playback, title, transcripts);
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
