import { ask } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";

// The token stands behind the #, so that it never reaches a log or a referrer. Opening the page uses nothing up.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = document.getElementById("mailed-link");
const message = document.getElementById("message");
history.replaceState(null, "", location.pathname);

if (!token) {
  form.hidden = true;
  showMessage(message, "This link is not complete. Open it from your mail, or ask for a new one.");
}

onSubmit(form, message, async (fields) => {
  const opened = await ask(form.dataset.path, { method: "POST", body: { ...fields, token } });
  location.assign(opened.url);
});
