// A free video plays in its place. What that needs is loaded with the click; without it, the link leads to the video.
for (const link of document.querySelectorAll("[data-play]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    try {
      const { play } = await import("./free_video.js");
      await play(link);
    } catch {
      location.assign(link.href);
    }
  });
}
