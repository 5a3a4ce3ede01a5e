// Forms that are answered in place: errors appear beside their fields, and input is kept.
export function showMessage(element, text, kind = "bad") {
  element.textContent = text;
  element.className = `notice ${kind}`;
  element.hidden = !text;
}

export function showErrors(form, details) {
  for (const old of form.querySelectorAll(".error")) old.remove();
  for (const input of form.querySelectorAll("input")) {
    const errors = details[input.name];
    input.toggleAttribute("aria-invalid", false);
    if (!errors) continue;
    const note = document.createElement("p");
    note.className = "error";
    note.id = `${input.id}-error`;
    note.textContent = errors.join(" ");
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", note.id);
    input.after(note);
  }
  form.querySelector("[aria-invalid]")?.focus();
}

// Passes a form's fields to `send`, one submission at a time.
export function onSubmit(form, message, send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    if (button.disabled) return;
    button.disabled = true;
    showMessage(message, "");
    showErrors(form, {});
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (refusal) {
      showMessage(message, refusal.message);
      showErrors(form, refusal.details ?? {});
      button.disabled = false;
    }
  });
}
