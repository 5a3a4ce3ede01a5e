import { ask } from "./service.js";
import { onSubmit, showMessage } from "./forms.js";

const form = document.getElementById("sign-up");
const message = document.getElementById("message");
onSubmit(form, message, async (fields) => {
  const answer = await ask("/api/sign-ups", { method: "POST", body: fields });
  form.hidden = true;
  showMessage(message, answer.message, "good");
});
