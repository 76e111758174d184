// Parts of a page that htmx fetches again when their run changed: they get the event "live".
import { listen } from "./live.js";
import { throttled } from "./throttle.js";

const PAUSE_MS = 1000;

/** A reader who selects text or stands inside the part is not disturbed. */
function isInUse(element) {
  const selection = getSelection();
  const selects = !selection.isCollapsed && element.contains(selection.anchorNode);
  const stands = element !== document.activeElement && element.contains(document.activeElement);
  return selects || stands;
}

export function attachLiveParts(element) {
  const kinds = element.dataset.liveKinds.split(" ");
  const reload = throttled(() => {
    if (!element.isConnected) return stop();
    if (isInUse(element)) return void setTimeout(reload, PAUSE_MS);
    htmx.trigger(element, "live");
  }, PAUSE_MS);
  const stop = listen(element.dataset.liveRun, ({ changes, reset }) => {
    const path = element.dataset.livePath;
    const ours = changes.filter((change) => kinds.includes(change.kind) && (!path || !change.path || change.path === path));
    if (reset || ours.length) reload();
  });
}
