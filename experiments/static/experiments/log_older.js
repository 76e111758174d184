// Older lines of a log, fetched when the reader scrolls up to them or asks.
import { lineElement } from "./log_view.js";

const NEAR_TOP_PX = 200;

export function attachOlderLines(view) {
  const { frame, log } = view;
  const button = frame.querySelector("[data-older-lines]");
  let busy = false;
  const load = async () => {
    if (busy || button.hidden) return;
    busy = true;
    try {
      if (view.dropped) return void location.reload(); // the page let go of lines in between
      const page = await fetchBefore(log.dataset.pages, view.start);
      if (page) prepend(view, button, page);
    } finally {
      busy = false;
    }
  };
  button.addEventListener("click", load);
  frame.addEventListener("scroll", () => {
    if (frame.scrollTop < NEAR_TOP_PX && !view.dropped) load();
  });
}

async function fetchBefore(url, offset) {
  try {
    const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}before=${offset}`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // no connection: the top bar says so, and the button stays
  }
}

/** The reader's line stays where it is on the screen. */
function prepend(view, button, page) {
  const { frame } = view;
  const below = frame.scrollHeight - frame.scrollTop;
  const lines = document.createDocumentFragment();
  for (const text of page.lines) lines.append(lineElement(text));
  button.after(lines);
  view.start = page.start;
  button.hidden = page.start === 0;
  frame.scrollTop = frame.scrollHeight - below;
}
