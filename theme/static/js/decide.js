// What else has access to an account whose address is being proven: a box for each, ticked where we suggest to keep it.
import { day, t } from "./words.js";

// Shows the boxes above the form's button; true when there is something to decide, so that the form is sent again.
export function showDecision(form, answer) {
  if (!answer.decide) return false;
  const boxes = document.getElementById("decide");
  const template = boxes.querySelector("template");
  for (const old of boxes.querySelectorAll("label")) old.remove();
  for (const item of answer.decide) {
    const label = template.content.cloneNode(true);
    const box = label.querySelector("input");
    box.value = item.id;
    box.checked = item.keep;
    const { name, since } = item;
    label.querySelector("span").textContent = since ? t("{name}, since {day}", { name, day: day(since) }) : name;
    boxes.append(label);
  }
  const button = form.querySelector("[type=submit]");
  form.insertBefore(boxes, button);
  boxes.hidden = false;
  boxes.querySelector("input").focus();
  button.disabled = false;
  button.textContent = t("Continue");
  return true;
}

// Forgets what was asked: another address is being proven.
export function forgetDecision() {
  const boxes = document.getElementById("decide");
  for (const old of boxes.querySelectorAll("label")) old.remove();
  boxes.hidden = true;
}

// What was decided; undefined before anything was asked.
export function decision() {
  const boxes = document.getElementById("decide");
  if (!boxes || boxes.hidden) return undefined;
  return [...boxes.querySelectorAll("input:checked")].map((box) => box.value);
}
