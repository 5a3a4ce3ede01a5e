import { ask, localAddress } from "./service.js";
import { onSubmit } from "./forms.js";

const next = new URLSearchParams(location.search).get("next");
onSubmit(document.getElementById("sign-in"), document.getElementById("message"), async (fields) => {
  await ask("/api/session", { method: "POST", body: fields });
  location.assign(localAddress(next, "/library/"));
});
