import { ask } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";
import { showAccountFields } from "./account_fields.js";

const order = new URLSearchParams(location.search).get("order");
const headline = document.getElementById("headline");
const status = document.getElementById("status");
const message = document.getElementById("message");
const form = document.getElementById("claim");
const started = Date.now();
const PATIENCE = 90_000; // ms; after that, the receipt's link opens the course

function say(title, text) {
  headline.textContent = title;
  status.textContent = text;
  document.title = title;
}

function show(answer) {
  const title = answer.course_title;
  if (answer.state === "pending") {
    if (Date.now() - started < PATIENCE) return setTimeout(check, 1500);
    return say("Still confirming", "Your bank is still processing the payment. You can close this page. We’ll email you when it’s confirmed.");
  }
  if (answer.state === "failed" || answer.state === "expired") {
    return say("Payment failed", "You haven’t been charged. You can try again from the course page.");
  }
  if (answer.state === "refunded") return say("This purchase was refunded", `You no longer have access to “${title}”.`);
  if (answer.gift) {
    const later = answer.gift.state === "scheduled" && new Date(answer.gift.deliver_at) > new Date();
    const when = later ? `on ${new Date(answer.gift.deliver_at).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" })}` : "now";
    return say("Thanks for your gift", `We’ll email ${answer.gift.recipient_name || answer.gift.recipient_email} a link to “${title}” ${when}. We’ve emailed you a confirmation.`);
  }
  if (answer.yours) {
    say("Thanks, it’s yours", `“${title}” is in your library. We’ve emailed you a receipt.`);
    document.getElementById("open").hidden = false;
    return;
  }
  if (answer.claimed && !answer.gift) {
    say("Thank you", `“${title}” is in the library of the account that claimed it. Sign in to that account to watch.`);
    document.getElementById("open").hidden = false;
    return;
  }
  if (answer.claimable) {
    say("One last step", `Create an account to watch “${title}” on all your devices. We’ve also emailed you a link.`);
    return showAccountFields(form, { hasAccount: answer.has_account, signedIn: answer.signed_in });
  }
  if (answer.sent_to) {
    return say("Thank you", `“${title}” was bought with the address ${answer.sent_to}. Open it with the link we emailed there.`);
  }
  say("Thank you", "Your purchase is confirmed. We’ve emailed you a link to your course.");
}

async function check() {
  try {
    show(await ask(`/api/orders/${encodeURIComponent(order)}`));
  } catch (refusal) {
    if (refusal.status === 404) return say("We couldn’t find this order", "The link may be incomplete. The receipt we emailed you has a link to your course.");
    if (Date.now() - started < PATIENCE) return setTimeout(check, 3000);
    say("We can’t reach the school right now", "Your payment is safe. The receipt we’ll email you has a link to your course.");
  }
}

onSubmit(form, message, async ({ name, password }) => {
  const claimed = await ask(`/api/orders/${encodeURIComponent(order)}/claim`, { method: "POST", body: { name, password } });
  location.assign(claimed.url);
});

if (order) check();
else say("We couldn’t find this order", "The receipt we emailed you has a link to your course.");
showMessage(message, "");
