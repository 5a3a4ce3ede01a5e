// The bar below each page of a preview: as whom one looks, whether the page is hidden, and what is to mend.
const views = { visitor: "Visitor", buyer: "Buyer", refunded: "Refunded", phone: "Phone" };
const bar = document.createElement("aside");
bar.id = "preview-bar";
bar.setAttribute("aria-label", "Preview");
const faults = document.createElement("section");
faults.id = "preview-faults";
faults.setAttribute("role", "alert");
faults.hidden = true;
document.body.append(faults, bar);

function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

function list(title, problems) {
  if (problems.length === 0) return;
  element("h2", title, faults);
  for (const { place, problem, remedy } of problems) {
    const entry = element("div", "", faults);
    if (place) element("code", place, entry);
    element("p", problem, entry);
    element("p", remedy, entry).className = "remedy";
  }
}

async function choose(view) {
  await fetch("/-/view", { method: "POST", body: view });
  if (view === "phone") {
    const course = location.pathname.split("/")[2] ?? "";
    location.assign(`/-/phone?course=${encodeURIComponent(course)}`);
  } else if (location.pathname.startsWith("/-/")) location.assign("/");
  else location.reload();
}

function show(state) {
  bar.replaceChildren();
  element("strong", "Preview", bar);
  const group = element("span", "", bar);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Look as");
  for (const [name, label] of Object.entries(views)) {
    const button = element("button", label, group);
    button.type = "button";
    button.setAttribute("aria-pressed", String(state.view === name));
    button.addEventListener("click", () => choose(name));
  }
  if (state.hidden) element("span", "Visitors do not see this page yet", bar).className = "hidden-page";
  element("span", state.ready ? `${Math.round(state.seconds * 1000)} ms` : "The service is starting …", bar).className = "time";
  // Faults lie over the page; what may be a quotation is only counted, and shown when asked for.
  faults.replaceChildren();
  list(state.problems.length === 1 ? "1 fault" : `${state.problems.length} faults`, state.problems);
  faults.hidden = state.problems.length === 0;
  list("Paid words in public pages", state.notices);
  if (state.notices.length > 0) {
    const count = state.notices.length;
    const button = element("button", count === 1 ? "1 notice" : `${count} notices`, bar);
    button.type = "button";
    button.setAttribute("aria-controls", faults.id);
    button.addEventListener("click", () => {
      faults.hidden = !faults.hidden;
    });
  }
}

let known = null;
async function look({ data }) {
  // With a fault (-1), the page stays as it was; the fault lies over it.
  if (known !== null && data !== "-1" && data !== known) {
    sessionStorage.setItem("preview-scroll", String(scrollY));
    location.reload();
    return;
  }
  if (data !== "-1") known = data;
  const answer = await fetch(`/-/state?page=${encodeURIComponent(location.pathname)}`);
  show(await answer.json());
}

const scrolled = sessionStorage.getItem("preview-scroll");
if (scrolled !== null) {
  sessionStorage.removeItem("preview-scroll");
  scrollTo(0, Number(scrolled));
}
new EventSource("/-/events").addEventListener("message", look);
