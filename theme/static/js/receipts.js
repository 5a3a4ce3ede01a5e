import { showList } from "./list.js";

const template = document.getElementById("receipt");
const language = document.documentElement.lang;

// Amounts come in minor units; how many of those a unit has is the currency's business.
function money(amount, currency) {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function item(receipt) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("h2").textContent = receipt.is_gift ? `${receipt.course_title} (a gift)` : receipt.course_title;
  const day = new Date(receipt.paid_at).toLocaleDateString(language, { dateStyle: "long" });
  const back = receipt.refunded_amount ? `, ${money(receipt.refunded_amount, receipt.currency)} refunded` : "";
  entry.querySelector("p").textContent = `${money(receipt.total_amount, receipt.currency)} on ${day}${back}. Order ${receipt.order}.`;
  const link = entry.querySelector("a");
  link.href = receipt.receipt_url;
  link.textContent = "Receipt of the payment";
  link.setAttribute("aria-label", `Receipt of the payment for ${receipt.course_title}, ${day}`);
  return entry;
}

showList(document.getElementById("receipts"), "/api/receipts", {
  name: "receipts",
  item,
  empty: () => ["Nothing yet. Receipts of what you pay stand here."],
});
