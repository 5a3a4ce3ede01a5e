import { ask, signInFirst } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";

const message = document.getElementById("message");

try {
  const { user } = await ask("/api/session");
  document.getElementById("account-name").textContent = user.name;
  document.getElementById("account-email").textContent = user.email;
  document.getElementById("account").hidden = false;
} catch (refusal) {
  if (refusal.status === 401) signInFirst();
  else showMessage(message, refusal.message);
}

document.getElementById("sign-out").addEventListener("click", async () => {
  try {
    await ask("/api/session", { method: "DELETE" });
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
