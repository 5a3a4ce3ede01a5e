import { ask } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";
import { showAccountFields } from "./account_fields.js";
import { day, t } from "./words.js";

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
  const course = answer.course_title;
  if (answer.state === "pending") {
    if (Date.now() - started < PATIENCE) return setTimeout(check, 1500);
    return say(t("Still confirming"), t("Your bank is still processing the payment. You can close this page. We’ll email you when it’s confirmed."));
  }
  if (answer.state === "failed" || answer.state === "expired") {
    return say(t("Payment failed"), t("You haven’t been charged. You can try again from the course page."));
  }
  if (answer.state === "refunded") return say(t("This purchase was refunded"), t("You no longer have access to “{course}”.", { course }));
  if (answer.gift) {
    const later = answer.gift.state === "scheduled" && new Date(answer.gift.deliver_at) > new Date();
    const name = answer.gift.recipient_name || answer.gift.recipient_email;
    const sent = later
      ? t("We’ll email {name} a link to “{course}” on {day}.", { name, course, day: day(answer.gift.deliver_at) })
      : t("We’ll email {name} a link to “{course}” now.", { name, course });
    return say(later ? t("Your gift is scheduled") : t("Your gift is on its way"), `${sent} ${t("We’ve emailed you a confirmation.")}`);
  }
  if (answer.yours) {
    say(t("Thanks, it’s yours"), t("“{course}” is in your library. We’ve emailed you a receipt.", { course }));
    document.getElementById("open").hidden = false;
    return;
  }
  if (answer.claimed && !answer.gift) {
    say(t("Thank you"), t("“{course}” is in the library of the account that claimed it. Sign in to that account to watch.", { course }));
    document.getElementById("open").hidden = false;
    return;
  }
  if (answer.claimable) {
    say(t("Thank you for your purchase"), t("Choose a name and a password to watch “{course}” on all your devices. We’ve also emailed you a link.", { course }));
    return showAccountFields(form, { hasAccount: answer.has_account, signedIn: answer.signed_in });
  }
  if (answer.sent_to) {
    return say(t("Thank you"), t("“{course}” was bought with the address {email}. Open it with the link we emailed there.", { course, email: answer.sent_to }));
  }
  say(t("Thank you"), t("Your purchase is confirmed. We’ve emailed you a link to your course."));
}

async function check() {
  try {
    show(await ask(`/api/orders/${encodeURIComponent(order)}`));
  } catch (refusal) {
    if (refusal.status === 404) return say(t("We couldn’t find this order"), t("The link may be incomplete. The receipt we emailed you has a link to your course."));
    if (Date.now() - started < PATIENCE) return setTimeout(check, 3000);
    say(t("We can’t reach the school right now"), t("Your payment is safe. The receipt we’ll email you has a link to your course."));
  }
}

onSubmit(form, message, async ({ name, password }) => {
  const claimed = await ask(`/api/orders/${encodeURIComponent(order)}/claim`, { method: "POST", body: { name, password } });
  location.assign(claimed.url);
});

if (order) check();
else say(t("We couldn’t find this order"), t("The receipt we emailed you has a link to your course."));
showMessage(message, "");
