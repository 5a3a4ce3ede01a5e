import { showList } from "./list.js";

const template = document.getElementById("gift");
const day = (moment) => new Date(moment).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" });

const STATES = {
  scheduled: (gift) => `We write to them on ${day(gift.deliver_at)}.`,
  delivered: (gift) => `We wrote to them on ${day(gift.delivered_at)}. They have not opened it yet.`,
  undeliverable: (gift) => `${gift.recipient_email} takes no mail. Write to us with the right address.`,
  opened: () => "They have opened it.",
  suspended: () => "The payment is disputed, so the gift is on hold.",
  refunded: () => "Refunded, and taken back.",
};

function item(gift) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("h2").textContent = gift.course_title;
  const to = gift.recipient_name ? `${gift.recipient_name} (${gift.recipient_email})` : gift.recipient_email;
  entry.querySelector(".to").textContent = `For ${to}`;
  entry.querySelector(".state").textContent = STATES[gift.state](gift);
  const words = entry.querySelector("blockquote");
  words.textContent = gift.message;
  words.hidden = !gift.message;
  return entry;
}

showList(document.getElementById("gifts"), "/api/gifts", {
  name: "gifts",
  item,
  empty: () => ["None yet. Every course page has a link to give the course to somebody."],
});
