// Who owns a course sees how far they are and a way on, instead of a price. Only a browser that is signed in asks, and
// loads what asking needs; nothing moves, since the new lines take the place of old ones.
if (document.cookie.split("; ").includes("signed_in=1")) {
  import("./owned_courses.js").then(({ showOwned }) => showOwned()).catch(() => {
    // The page stays as every visitor sees it.
  });
}
