// Many notices, few requests.
/** An answer that took long because the viewer was away must not hold up the next one for minutes. */
const LONGEST_PAUSE_MS = 5000;

/**
 * A function that runs `work` (which may be async) at most once in `pause` ms, and never while it still runs. Calls in
 * between lead to one more run. A hidden page waits until it is looked at.
 */
export function throttled(work, pause) {
  let asked = false;
  let busy = false;

  async function run() {
    if (busy || !asked || document.hidden) return;
    busy = true;
    asked = false;
    const started = performance.now();
    try {
      await work();
    } finally {
      // a slow answer makes the next one rarer, so that a slow machine is not kept busy by watching it
      const took = performance.now() - started;
      setTimeout(() => {
        busy = false;
        run();
      }, Math.max(pause, Math.min(LONGEST_PAUSE_MS, took * 3)));
    }
  }

  document.addEventListener("visibilitychange", run);
  return () => {
    asked = true;
    run();
  };
}
