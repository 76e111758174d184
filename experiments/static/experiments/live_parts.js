// Parts of a page that htmx fetches again when their run changed: they get the event "live".
import { listen } from "./live.js";
import { throttled } from "./throttle.js";

const PAUSE_MS = 1000;

/** A reader who selects text, stands inside the part or has filled in a form there is not disturbed. */
function isInUse(element) {
  const selection = getSelection();
  const active = document.activeElement;
  const selects = !selection.isCollapsed && element.contains(selection.anchorNode);
  const stands = element !== active && element.contains(active) && !(active.id && active.matches("a")); // htmx keeps the focus by the id
  return selects || stands || [...element.querySelectorAll("form[method=post]")].some(isFilledIn);
}

/** Whether a text of the form, or what is chosen in it, is not what it came with. */
function isFilledIn(form) {
  return [...form.elements].some((field) => {
    if (!field.options) return "defaultValue" in field && field.value !== field.defaultValue;
    const first = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
    return first && field.value !== first.value;
  });
}

export function attachLiveParts(element) {
  const kinds = element.dataset.liveKinds.split(" ");
  const reload = throttled(() => {
    if (!element.isConnected) return stop();
    if (isInUse(element)) return void setTimeout(reload, PAUSE_MS);
    htmx.trigger(element, "live");
  }, PAUSE_MS);
  // somebody began to type while the answer was on its way
  element.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target !== element || event.detail.requestConfig.triggeringEvent?.type !== "live" || !isInUse(element)) return;
    event.detail.shouldSwap = false;
    setTimeout(reload, PAUSE_MS);
  });
  // the run was deleted or moved: what was read last stays, and says so
  element.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 404 || !element.dataset.liveGone || element.querySelector("[data-gone]")) return;
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.dataset.gone = "";
    notice.setAttribute("role", "status");
    notice.textContent = element.dataset.liveGone;
    element.append(notice);
  });
  const stop = listen(element.dataset.liveRun, ({ changes, reset }) => {
    const path = element.dataset.livePath;
    const ours = changes.filter((change) => kinds.includes(change.kind) && (!path || !change.path || change.path === path));
    if (reset || ours.length) reload();
  });
}
