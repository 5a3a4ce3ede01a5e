import { ask } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";
import { showAccountFields } from "./account_fields.js";

const order = new URLSearchParams(location.search).get("order");
const headline = document.getElementById("headline");
const status = document.getElementById("status");
const message = document.getElementById("message");
const form = document.getElementById("claim");
const started = Date.now();
const PATIENCE = 90_000; // ms; afterwards the mail is the way

function say(title, text) {
  headline.textContent = title;
  status.textContent = text;
  document.title = title;
}

function show(answer) {
  const title = answer.course_title;
  if (answer.state === "pending") {
    if (Date.now() - started < PATIENCE) return setTimeout(check, 1500);
    return say("Still confirming", "Your bank is taking its time. You can close this page: we write to you as soon as the payment is confirmed.");
  }
  if (answer.state === "failed" || answer.state === "expired") {
    return say("The payment did not go through", "Nothing was charged. You can try again from the course page.");
  }
  if (answer.state === "refunded") return say("This purchase was refunded", `“${title}” is no longer open to you.`);
  if (answer.gift) {
    const later = answer.gift.state === "scheduled" && new Date(answer.gift.deliver_at) > new Date();
    const when = later ? `on ${new Date(answer.gift.deliver_at).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" })}` : "now";
    return say("Your gift is paid", `We write to ${answer.gift.recipient_name || answer.gift.recipient_email} ${when}, with a link that opens “${title}”. Your confirmation is on its way by mail.`);
  }
  if (answer.yours) {
    say("It is yours", `“${title}” is in your library. The receipt is on its way by mail.`);
    document.getElementById("open").hidden = false;
    return;
  }
  if (answer.claimed && !answer.gift) {
    say("Thank you", `“${title}” is in the library of the account that opened it. Sign in there to watch.`);
    document.getElementById("open").hidden = false;
    return;
  }
  if (answer.claimable) {
    say("It is yours", `One step is left: an account, so that “${title}” is with you on every device. We have also mailed you a link.`);
    return showAccountFields(form, { hasAccount: answer.has_account, signedIn: answer.signed_in });
  }
  say("Thank you", "The purchase is confirmed. The mail we sent you has the link that opens the course.");
}

async function check() {
  try {
    show(await ask(`/api/orders/${encodeURIComponent(order)}`));
  } catch (refusal) {
    if (refusal.status === 404) return say("We do not know this order", "The link may be incomplete. Your receipt, by mail, has the right one.");
    if (Date.now() - started < PATIENCE) return setTimeout(check, 3000);
    say("We cannot look just now", "Your payment is safe. The mail we send you has a link to your course.");
  }
}

onSubmit(form, message, async ({ name, password }) => {
  const claimed = await ask(`/api/orders/${encodeURIComponent(order)}/claim`, { method: "POST", body: { name, password } });
  location.assign(claimed.url);
});

if (order) check();
else say("We do not know this order", "Your receipt, by mail, has a link to your course.");
showMessage(message, "");
