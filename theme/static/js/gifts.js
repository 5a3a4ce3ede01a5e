import { showList } from "./list.js";
import { day, t } from "./words.js";

const template = document.getElementById("gift");

const STATES = {
  scheduled: (gift) => t("We’ll send it on {day}.", { day: day(gift.deliver_at) }),
  delivered: (gift) => t("Sent on {day}. Not opened yet.", { day: day(gift.delivered_at) }),
  undeliverable: (gift) => t("Our email to {email} was rejected. Please send us the right address.", { email: gift.recipient_email }),
  opened: () => t("Opened."),
  suspended: () => t("On hold, because the payment is disputed."),
  refunded: () => t("Refunded. The recipient no longer has the course."),
};

function item(gift) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("h2").textContent = gift.course_title;
  const to = gift.recipient_name ? `${gift.recipient_name}, ${gift.recipient_email}` : gift.recipient_email;
  entry.querySelector(".to").textContent = t("For {name}", { name: to });
  entry.querySelector(".state").textContent = STATES[gift.state](gift);
  const message = entry.querySelector("blockquote");
  message.textContent = gift.message;
  message.hidden = !gift.message;
  return entry;
}

showList(document.getElementById("gifts"), "/api/gifts", {
  name: "gifts",
  item,
  empty: () => [t("You haven’t sent any gifts yet. Use “Give as a gift” on a course page.")],
});
