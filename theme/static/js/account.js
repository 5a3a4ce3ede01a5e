import { ask, signInFirst } from "./service.js";
import { forgetUnsent, sendUnsent, within } from "./heartbeats.js";
import { onSubmit, showMessage } from "./forms.js";
import { language, t } from "./words.js";

const message = document.getElementById("message");

let learner;

try {
  const { user } = await ask("/api/session");
  learner = user.id;
  document.getElementById("account-name").textContent = user.name;
  document.getElementById("account-email").textContent = user.email;
  document.getElementById("account").hidden = false;
} catch (refusal) {
  if (refusal.status === 401) signInFirst();
  else showMessage(message, refusal.message);
}

document.getElementById("sign-out").addEventListener("click", async () => {
  try {
    await within(2000, sendUnsent(learner));
    await ask("/api/session", { method: "DELETE" });
    forgetUnsent();
    location.assign("/");
  } catch (refusal) {
    showMessage(message, refusal.message);
  }
});

const passwordForm = document.getElementById("change-password");
onSubmit(passwordForm, message, async (fields) => {
  const answer = await ask("/api/account/password", { method: "PUT", body: fields });
  passwordForm.reset();
  passwordForm.querySelector("[type=submit]").disabled = false;
  showMessage(message, answer.message, "good");
});

const emailForm = document.getElementById("change-email");
onSubmit(emailForm, message, async (fields) => {
  const answer = await ask("/api/account/email", { method: "POST", body: fields });
  emailForm.reset();
  emailForm.querySelector("[type=submit]").disabled = false;
  showMessage(message, answer.message, "good");
});

const devices = document.getElementById("devices");
const template = document.getElementById("device");

function device(entry, kind) {
  const item = template.content.cloneNode(true);
  const name = entry.name || t("Browser");
  const shown = entry.current ? t("{name} (this device)", { name }) : name;
  const moment = entry.last_seen_at ? new Date(entry.last_seen_at).toLocaleString(language, { dateStyle: "long", timeStyle: "short" }) : "";
  item.querySelector("span").textContent = t("{name}, last used {moment}", { name: shown, moment });
  const button = item.querySelector("button");
  button.hidden = entry.current;
  button.addEventListener("click", async () => {
    try {
      await ask(`/api/account/${kind}/${entry.id}`, { method: "DELETE" });
      showDevices();
    } catch (refusal) {
      showMessage(message, refusal.message);
    }
  });
  return item;
}

async function showDevices() {
  try {
    const { browsers, phones } = await ask("/api/account/devices");
    devices.replaceChildren(...browsers.map((each) => device(each, "browsers")), ...phones.map((each) => device(each, "phones")));
  } catch (refusal) {
    if (refusal.status !== 401) showMessage(message, refusal.message);
  }
}

showDevices();

onSubmit(document.getElementById("delete-account"), message, async (fields) => {
  const answer = await ask("/api/account/deletion", { method: "POST", body: fields });
  forgetUnsent();
  document.getElementById("account").hidden = true;
  showMessage(message, `${answer.message} ${answer.kept}`, "good");
});
