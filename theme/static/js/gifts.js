import { showList } from "./list.js";

const template = document.getElementById("gift");
const day = (moment) => new Date(moment).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" });

const STATES = {
  scheduled: (gift) => `We’ll send it on ${day(gift.deliver_at)}.`,
  delivered: (gift) => `Sent on ${day(gift.delivered_at)}. Not opened yet.`,
  undeliverable: (gift) => `Our email to ${gift.recipient_email} was rejected. Please send us the right address.`,
  opened: () => "Opened.",
  suspended: () => "On hold, because the payment is disputed.",
  refunded: () => "Refunded. The recipient no longer has the course.",
};

function item(gift) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("h2").textContent = gift.course_title;
  const to = gift.recipient_name ? `${gift.recipient_name} (${gift.recipient_email})` : gift.recipient_email;
  entry.querySelector(".to").textContent = `For ${to}`;
  entry.querySelector(".state").textContent = STATES[gift.state](gift);
  const message = entry.querySelector("blockquote");
  message.textContent = gift.message;
  message.hidden = !gift.message;
  return entry;
}

showList(document.getElementById("gifts"), "/api/gifts", {
  name: "gifts",
  item,
  empty: () => ["You haven’t sent any gifts yet. Use “Give as a gift” on a course page."],
});
