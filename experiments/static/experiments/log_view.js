// The log of a run: its newest lines first, any other part of it on demand, new ones as they are written.
import { pageOf } from "./log_answers.js";
import { attachPlaces } from "./log_places.js";
import { attachSearch } from "./log_search.js";
import { LogWindow } from "./log_window.js";
import { throttled } from "./throttle.js";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10000;
const END_SLACK_PX = 24;
const FILL_PAUSE_MS = 30;

export function attachLog(log) {
  const view = { log, follow: log.querySelector("[data-follow]"), tries: 0, file: "", say: (text) => say(log, text) };
  view.lines = new LogWindow(log, (question) => pageOf(view, question));
  attachFollowing(view);
  attachPlaces(view);
  attachSearch(view);
  log.querySelector("[data-log-file]")?.addEventListener("change", (event) => {
    const address = new URLSearchParams(log.dataset.address);
    address.set("file", event.target.value);
    location.assign(`${location.pathname}?${address}`);
  });
  connect(view);
}

function say(log, text) {
  log.querySelector("[data-log-state]").textContent = text;
}

function attachFollowing(view) {
  const { log, follow, lines } = view;
  const { frame } = lines;
  const toEnd = log.querySelector("[data-to-end]");
  const wrap = log.querySelector("[data-wrap]");
  const showWrap = () => frame.classList.toggle("is-wrapped", wrap.checked);
  const scrollToEnd = () => {
    frame.scrollTop = frame.scrollHeight;
  };
  const grow = throttled(async () => {
    if (!log.isConnected) return;
    if (!follow.checked) return void (await lines.fill());
    await lines.newer({ follows: true });
    if (!follow.checked) return;
    scrollToEnd();
    if (lines.end < lines.size) setTimeout(grow, FIRST_RETRY_MS); // the viewer did not answer: it may be starting anew
  }, FILL_PAUSE_MS);
  view.grown = (end) => {
    lines.size = end;
    if (lines.end < end) grow();
    log.querySelector("[data-log-empty]").hidden = end > 0;
  };
  view.goToEnd = async () => {
    setFollow(true);
    if (lines.end < lines.size) await lines.show({});
    scrollToEnd();
    grow();
  };
  const setFollow = (follows) => {
    follow.checked = follows;
    toEnd.hidden = follows;
  };
  view.stay = () => setFollow(false);
  wrap.addEventListener("change", () => {
    showWrap();
    if (follow.checked) scrollToEnd();
  });
  follow.addEventListener("change", () => (follow.checked ? view.goToEnd() : setFollow(false)));
  toEnd.addEventListener("click", view.goToEnd);
  // who scrolls up reads, and is left in peace; who comes back to the end follows again
  frame.addEventListener("scroll", () => {
    if (lines.isMoving) return;
    // lines that are on their way are no reason to stop following
    if (lines.distanceToEnd >= END_SLACK_PX) setFollow(false);
    else if (lines.end >= lines.size) setFollow(true);
    grow();
  });
  new ResizeObserver(() => follow.checked && scrollToEnd()).observe(frame);
  showWrap();
  scrollToEnd();
}

function connect(view) {
  const { log } = view;
  if (!log.isConnected) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/live/runs/${encodeURIComponent(log.dataset.run)}/logs/ws${log.dataset.address}`);
  socket.addEventListener("open", () => {
    view.say("");
    view.isBack = true;
  });
  socket.addEventListener("message", (event) => {
    if (log.isConnected) receive(view, JSON.parse(event.data));
    else socket.close(); // the reader went to another tab of the run
  });
  socket.addEventListener("close", (event) => {
    if (event.code === 4000) return; // the server said why, and connecting again would not help
    view.tries += 1;
    view.say(gettext("reconnecting"));
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (view.tries - 1));
    setTimeout(() => connect(view), wait * (0.75 + Math.random() / 2));
  });
}

async function receive(view, message) {
  view.tries = 0;
  if (message.problem) return view.say(message.problem);
  const [file, end] = message.files[view.log.dataset.file] ?? [view.file, view.lines.size];
  // shorter than what is here: cut while the page was away; later a notice may just be older than a page of the file
  const isAnew = (view.file && file !== view.file) || (view.isBack && end < view.lines.end);
  Object.assign(view, { file, isBack: false });
  if (isAnew) {
    view.lines.size = end;
    await view.lines.show({});
    await view.goToEnd();
  }
  return view.grown(end);
}
