// Parts of a page that htmx fetches again when their run changed: they get the event "live".
import { listen } from "./live.js";
import { throttled } from "./throttle.js";

const PAUSE_MS = 1000;

export function attachLiveParts(element) {
  const kinds = element.dataset.liveKinds.split(" ");
  const reload = throttled(() => {
    if (!element.isConnected) return stop();
    // a reader who selects text or stands inside the part is not disturbed
    if (element.contains(document.activeElement) && document.activeElement !== element) return setTimeout(reload, PAUSE_MS);
    htmx.trigger(element, "live");
  }, PAUSE_MS);
  const stop = listen(element.dataset.liveRun, ({ changes, reset }) => {
    const path = element.dataset.livePath;
    const ours = changes.filter((change) => kinds.includes(change.kind) && (!path || !change.path || change.path === path));
    if (reset || ours.length) reload();
  });
}
