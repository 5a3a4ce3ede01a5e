import { showList } from "./list.js";
import { day, t } from "./words.js";

const template = document.getElementById("receipt");

function item(receipt) {
  const course = receipt.course_title;
  const entry = template.content.cloneNode(true);
  entry.querySelector("h2").textContent = receipt.is_gift ? t("{course} (gift)", { course }) : course;
  const values = { course, total: receipt.total, order: receipt.order, refunded: receipt.refunded, day: day(receipt.paid_at) };
  entry.querySelector("p").textContent = receipt.refunded
    ? t("{total} on {day}, {refunded} refunded. Order {order}.", values)
    : t("{total} on {day}. Order {order}.", values);
  const link = entry.querySelector("a");
  link.href = receipt.receipt_url;
  link.textContent = t("View receipt");
  const invoice = entry.querySelector(".invoice");
  if (receipt.invoice_url) {
    invoice.href = receipt.invoice_url;
    invoice.textContent = t("Invoice");
    invoice.setAttribute("aria-label", t("Invoice for {course}, {day}", values));
  } else {
    invoice.remove();
  }
  link.setAttribute("aria-label", t("View receipt for {course}, {day}", values));
  return entry;
}

showList(document.getElementById("receipts"), "/api/receipts", {
  name: "receipts",
  item,
  empty: () => [t("Your receipts will appear here.")],
});
