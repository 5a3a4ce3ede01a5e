import { ask } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";
import { showAccountFields } from "./account_fields.js";
import { t } from "./words.js";

// The token is in the fragment, which browsers send to nobody.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const message = document.getElementById("message");
const form = document.getElementById("claim");
const reissue = document.getElementById("reissue");

async function open() {
  const claim = await ask("/api/claims/look", { method: "POST", body: { token } });
  history.replaceState(null, "", location.pathname);
  const values = { course: claim.course_title, email: claim.email };
  const intro = claim.is_gift ? t("“{course}” is a gift for {email}.", values) : t("“{course}” was bought with {email}.", values);
  document.getElementById("claim-intro").textContent = claim.signed_in ? `${intro} ${t("Add it to your account?")}` : intro;
  showAccountFields(form, { hasAccount: claim.has_account, signedIn: claim.signed_in });
}

onSubmit(form, message, async ({ name, password }) => {
  const claimed = await ask("/api/claims", { method: "POST", body: { token, name, password } });
  location.assign(claimed.url);
});

onSubmit(reissue, message, async ({ email }) => {
  const answer = await ask("/api/claims/reissue", { method: "POST", body: { email } });
  reissue.hidden = true;
  showMessage(message, answer.message, "good");
});

if (token) {
  open().catch((refusal) => {
    showMessage(message, refusal.message);
    reissue.hidden = refusal.code === "offline";
  });
} else {
  reissue.hidden = false;
}
