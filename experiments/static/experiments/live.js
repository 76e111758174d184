// One WebSocket a page brings notices of what changed; who listens fetches what it shows.
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10000;
const OFFLINE_AFTER_TRIES = 3;

const listeners = new Set();
let wanted = new Set();
let socket = null;
let sequence = document.body.dataset.seq ? Number(document.body.dataset.seq) : null;
let tries = 0;
let timer = null;
let started = false;

/**
 * Call `handler({changes, reset})` for changes of `run` (an id, an artifact's path, or "*" for all). Reset means: changes were missed, load anew.
 * Returns a function that ends it.
 */
export function listen(run, handler) {
  const listener = { run, handler };
  listeners.add(listener);
  subscribe();
  return () => {
    listeners.delete(listener);
    subscribe();
  };
}

function subscribe() {
  const now = new Set([...listeners].map((listener) => listener.run));
  const same = now.size === wanted.size && [...now].every((run) => wanted.has(run));
  wanted = now;
  if (!socket) {
    if (wanted.size && started) connect();
  } else if (!same && socket.readyState === WebSocket.OPEN) {
    sendSubscription();
  }
}

function sendSubscription() {
  socket.send(JSON.stringify({ subscribe: wanted.has("*") ? "*" : [...wanted] }));
}

function connect() {
  clearTimeout(timer);
  timer = null;
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live/ws`);
  socket.addEventListener("open", () => {
    tries = 0;
    sendSubscription();
    if (sequence !== null) socket.send(JSON.stringify({ since: sequence }));
    showState("connected");
  });
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    tries += 1;
    showState(tries > OFFLINE_AFTER_TRIES || !navigator.onLine ? "offline" : "reconnecting");
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1));
    timer = setTimeout(connect, wait * (0.75 + Math.random() / 2)); // spread: a restarted viewer meets all pages at once
  });
}

function receive(message) {
  if (typeof message.seq === "number") sequence = message.seq;
  if (message.type === "reset") {
    for (const { handler } of listeners) handler({ changes: [], reset: true });
  } else if (message.type === "changes") {
    for (const { run, handler } of listeners) {
      const changes = run === "*" ? message.changes : message.changes.filter((change) => change.run === run || change.path === run);
      if (changes.length) handler({ changes, reset: false });
    }
  }
}

function showState(state) {
  const words = { connected: gettext("live"), reconnecting: gettext("reconnecting"), offline: gettext("offline") };
  for (const element of document.querySelectorAll(".live-state")) {
    element.dataset.liveState = state;
    element.querySelector(".live-word").textContent = words[state];
    element.title = words[state];
  }
  const banner = document.querySelector("[data-offline]");
  if (banner) banner.hidden = state !== "offline";
}

function retryNow() {
  if (timer !== null) connect();
}

addEventListener("online", retryNow);
document.addEventListener("visibilitychange", () => document.hidden || retryNow());
// A page without live parts still says whether the viewer is there.
listen(document.body.dataset.liveFor || "", () => {});

/** Connect. Called when all parts of the page listen: what came before one of them listened would be lost to it. */
export function startListening() {
  started = true;
  subscribe();
}
