import { showList } from "./list.js";

const template = document.getElementById("receipt");
const language = document.documentElement.lang;

// Amounts come in minor units, whose number depends on the currency.
function money(amount, currency) {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function item(receipt) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("h2").textContent = receipt.is_gift ? `${receipt.course_title} (gift)` : receipt.course_title;
  const day = new Date(receipt.paid_at).toLocaleDateString(language, { dateStyle: "long" });
  const back = receipt.refunded_amount ? `, ${money(receipt.refunded_amount, receipt.currency)} refunded` : "";
  entry.querySelector("p").textContent = `${money(receipt.total_amount, receipt.currency)} on ${day}${back}. Order ${receipt.order}.`;
  const link = entry.querySelector("a");
  link.href = receipt.receipt_url;
  link.textContent = "View receipt";
  link.setAttribute("aria-label", `View receipt for ${receipt.course_title}, ${day}`);
  return entry;
}

showList(document.getElementById("receipts"), "/api/receipts", {
  name: "receipts",
  item,
  empty: () => ["Your receipts will appear here."],
});
