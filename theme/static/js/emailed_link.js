import { ask } from "./service.js";
import { decision, showDecision } from "./decide.js";
import { onSubmit, showMessage } from "./forms.js";
import { t } from "./words.js";

// The token is in the fragment, which browsers send to nobody. Opening the page does not use the link up.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = document.getElementById("emailed-link");
const message = document.getElementById("message");
history.replaceState(null, "", location.pathname);

if (!token) {
  form.hidden = true;
  showMessage(message, t("This link is incomplete. Open it from your email again, or request a new one."));
}

onSubmit(form, message, async (fields) => {
  delete fields.keep;
  const opened = await ask(form.dataset.path, { method: "POST", body: { ...fields, token, keep: decision() } });
  if (!showDecision(form, opened)) location.assign(opened.url);
});
