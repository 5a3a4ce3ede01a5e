// Requests to the service. Every answer is either data or a Refusal with a sentence for a person.
import { t } from "./words.js";
export class Refusal extends Error {
  constructor(status, code, message, details = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

const OFFLINE = t("We can’t reach the school right now. Check your connection and try again.");

export async function ask(path, { method = "GET", body, keepalive = false } = {}) {
  const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, { method, keepalive, credentials: "same-origin", ...(body && json) });
  } catch {
    throw new Refusal(0, "offline", OFFLINE);
  }
  const data = await response.json().catch(() => ({}));
  if (response.ok) return data;
  const { code = "server_error", message = OFFLINE, details = {} } = data.error ?? {};
  throw new Refusal(response.status, code, message, details);
}

// Goes to the sign-in page, and back here afterwards.
export function signInFirst() {
  const here = location.pathname + location.search;
  location.replace(`/sign-in/?next=${encodeURIComponent(here)}#needed`);
}

// A path on this site, or the fallback: `next` comes from the URL and is not trusted.
export function localPath(value, fallback) {
  if (!value) return fallback;
  const url = new URL(value, location.origin);
  return url.origin === location.origin && value.startsWith("/") ? url.pathname + url.search + url.hash : fallback;
}
