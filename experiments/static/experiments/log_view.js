// The log of a run: its newest lines first, older ones on demand, new ones as they are written.
import { ansiNodes, hasEscapes } from "./ansi.js";
import { attachOlderLines } from "./log_older.js";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10000;
/** What a page keeps: older lines leave at the top while it follows, and come back on demand. */
const MAX_LINES = 20000;
const END_SLACK_PX = 24;

export function attachLog(log) {
  const view = {
    log,
    frame: log.querySelector("[data-lines]"),
    follow: log.querySelector("[data-follow]"),
    // up to where each file is shown; sent when connecting, so that no line is missed or comes twice
    places: { "logs.txt": ["", Number(log.dataset.end)] },
    start: Number(log.dataset.start),
    tries: 0,
  };
  for (const line of view.frame.querySelectorAll(":scope > div")) colour(line);
  attachFollowing(view);
  attachOlderLines(view);
  connect(view);
}

/** A line as an element. */
export function lineElement(text) {
  const line = document.createElement("div");
  line.textContent = text;
  colour(line);
  return line;
}

function colour(line) {
  if (hasEscapes(line.textContent)) line.replaceChildren(...ansiNodes(line.textContent));
}

function attachFollowing(view) {
  const { log, frame, follow } = view;
  const toEnd = log.querySelector("[data-to-end]");
  const wrap = log.querySelector("[data-wrap]");
  const showWrap = () => frame.classList.toggle("is-wrapped", wrap.checked);
  view.scrollToEnd = () => {
    frame.scrollTop = frame.scrollHeight;
  };
  const goOn = () => {
    follow.checked = true;
    toEnd.hidden = true;
    view.scrollToEnd();
  };
  wrap.addEventListener("change", () => {
    showWrap();
    if (follow.checked) view.scrollToEnd();
  });
  follow.addEventListener("change", () => {
    if (follow.checked) goOn();
    else toEnd.hidden = false;
  });
  toEnd.addEventListener("click", goOn);
  // who scrolls up reads, and is left in peace; who comes back to the end follows again
  frame.addEventListener("scroll", () => {
    const atEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < END_SLACK_PX;
    if (atEnd !== follow.checked && frame.scrollHeight > frame.clientHeight) follow.checked = atEnd;
    toEnd.hidden = follow.checked;
  });
  new ResizeObserver(() => follow.checked && view.scrollToEnd()).observe(frame);
  showWrap();
  view.scrollToEnd();
}

function connect(view) {
  if (!view.log.isConnected) return;
  const address = new URLSearchParams(view.log.dataset.address);
  address.set("places", JSON.stringify(view.places));
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/live/runs/${encodeURIComponent(view.log.dataset.run)}/logs/ws?${address}`);
  socket.addEventListener("open", () => say(view, ""));
  socket.addEventListener("message", (event) => receive(view, JSON.parse(event.data)));
  socket.addEventListener("close", (event) => {
    if (event.code === 4000) return; // the server said why, and connecting again would not help
    view.tries += 1;
    say(view, gettext("reconnecting"));
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (view.tries - 1));
    setTimeout(() => connect(view), wait * (0.75 + Math.random() / 2));
  });
}

function say(view, text) {
  view.log.querySelector("[data-log-state]").textContent = text;
}

function receive(view, message) {
  view.tries = 0;
  if (message.problem) return say(view, message.problem);
  if (message.reload) return location.reload(); // away for so long that the newest lines are a better start
  view.places = message.places;
  if (!message.lines.length) return undefined;
  const { frame, follow, log } = view;
  log.querySelector("[data-log-empty]").hidden = true;
  const lines = document.createDocumentFragment();
  for (const text of message.lines) lines.append(lineElement(text));
  frame.append(lines);
  if (follow.checked) {
    dropOldest(view);
    view.scrollToEnd();
  }
  return undefined;
}

function dropOldest(view) {
  const surplus = view.frame.childElementCount - 1 - MAX_LINES;
  if (surplus < MAX_LINES / 10) return;
  for (const line of [...view.frame.querySelectorAll(":scope > div")].slice(0, surplus)) line.remove();
  view.dropped = true;
  view.frame.querySelector("[data-older-lines]").hidden = false;
}
