import { showList } from "./list.js";

const template = document.getElementById("receipt");
const language = document.documentElement.lang;

function item(receipt) {
  const entry = template.content.cloneNode(true);
  entry.querySelector("h2").textContent = receipt.is_gift ? `${receipt.course_title} (gift)` : receipt.course_title;
  const day = new Date(receipt.paid_at).toLocaleDateString(language, { dateStyle: "long" });
  const back = receipt.refunded ? `, ${receipt.refunded} refunded` : "";
  entry.querySelector("p").textContent = `${receipt.total} on ${day}${back}. Order ${receipt.order}.`;
  const link = entry.querySelector("a");
  link.href = receipt.receipt_url;
  link.textContent = "View receipt";
  const invoice = entry.querySelector(".invoice");
  if (receipt.invoice_url) {
    invoice.href = receipt.invoice_url;
    invoice.textContent = "Invoice";
    invoice.setAttribute("aria-label", `Invoice for ${receipt.course_title}, ${day}`);
  } else {
    invoice.remove();
  }
  link.setAttribute("aria-label", `View receipt for ${receipt.course_title}, ${day}`);
  return entry;
}

showList(document.getElementById("receipts"), "/api/receipts", {
  name: "receipts",
  item,
  empty: () => ["Your receipts will appear here."],
});
