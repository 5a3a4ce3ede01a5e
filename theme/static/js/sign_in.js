import { ask, localPath } from "./service.js";
import { decision, forgetDecision, showDecision } from "./decide.js";
import { onSubmit, showErrors, showMessage } from "./forms.js";

const next = new URLSearchParams(location.search).get("next");
onSubmit(document.getElementById("sign-in"), document.getElementById("message"), async (fields) => {
  await ask("/api/session", { method: "POST", body: fields });
  location.assign(localPath(next, "/library/"));
});

const codeForm = document.getElementById("code-form");
let sentTo = "";
onSubmit(codeForm, document.getElementById("message"), async ({ code }) => {
  const body = { email: sentTo, code, keep: decision() };
  const opened = await ask("/api/sign-in-codes/spend", { method: "POST", body });
  if (!showDecision(codeForm, opened)) location.assign(localPath(next, "/library/"));
});

const emailForm = document.getElementById("email-link");
emailForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const message = document.getElementById("message");
  const signInForm = document.getElementById("sign-in");
  const email = signInForm.elements.email.value;
  try {
    const answer = await ask(`/api/${event.submitter.value}`, { method: "POST", body: { email } });
    showErrors(signInForm, {});
    showMessage(message, answer.message, "good");
    if (event.submitter.value === "sign-in-links") {
      sentTo = email;
      signInForm.hidden = true; // one thing to do now; “Email me a sign-in link” sends another
      document.getElementById("needed").hidden = true;
      forgetDecision();
      codeForm.hidden = false;
      codeForm.elements.code.focus();
    }
  } catch (refusal) {
    showMessage(message, refusal.message);
    showErrors(signInForm, refusal.details ?? {});
  }
});
