// A bookmark of a lesson whose course is no longer in the files: its owners still have it, on a page for all of them.
const [, course, lesson] = location.pathname.match(/^\/learn\/([^/]+)\/([^/]+)\/?$/) ?? [];
if (lesson) location.replace(`/learn/?course=${course}&lesson=${lesson}`);
