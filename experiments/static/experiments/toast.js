// What was done, said at the foot of the window, and undone by its button or by Ctrl/Cmd+Z.
import { announce } from "./copy.js";

const SHOWN_MS = 12_000;
let last = null;

export function attachToasts(page) {
  page.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox], [type=range]), select, textarea, [contenteditable]");
    if (!last || typing || event.key !== "z" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo();
  });
}

function show({ text, undo: undone }) {
  document.querySelector(".toast-line")?.remove();
  last = undone ?? null;
  const toast = document.createElement("div");
  toast.className = "toast-line";
  toast.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undone) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: gettext("Undo") });
    button.addEventListener("click", undo);
    toast.append(button);
  }
  document.body.append(toast);
  announce(text);
  setTimeout(() => toast.remove(), SHOWN_MS);
}

function undo() {
  const { url, values } = last;
  last = null;
  post(url, values);
}

/**
 * Send a change as the page's forms do. The answer is a toast; the table shows the change at once.
 * Not by htmx.ajax: of several requests that wait there only the last is sent.
 */
export async function post(url, values) {
  const body = new URLSearchParams(Object.entries(values).flatMap(([name, value]) => [value].flat().map((one) => [name, one])));
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  try {
    const answer = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": token } });
    if (!answer.ok) throw new Error(answer.statusText);
    show(JSON.parse(answer.headers.get("HX-Trigger"))["runicorn:toast"]);
    document.dispatchEvent(new Event("runicorn:changed"));
  } catch (error) {
    show({ text: interpolate(gettext("Nothing was changed: %s"), [error.message]) });
  }
}
