// The fields for creating an account, or only the password field if there is one already.
import { t } from "./words.js";
export function showAccountFields(form, { hasAccount, signedIn }) {
  const fields = form.querySelector("[data-account-fields]");
  fields.hidden = signedIn;
  form.querySelector("[data-name-field]").hidden = hasAccount;
  form.querySelector("[data-password-label]").textContent = hasAccount ? t("Your password") : t("Choose a password");
  form.querySelector("[data-password-hint]").hidden = hasAccount;
  const password = form.elements.password;
  password.autocomplete = hasAccount ? "current-password" : "new-password";
  password.required = !signedIn;
  form.hidden = false;
}
