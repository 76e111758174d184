// A board of charts, of one run or of several: fetched in batches as they come into view, drawn anew while runs go on.
import { makeCard } from "./chart_card.js";
import { attachTools } from "./chart_tools.js";
import { listen } from "./live.js";
import { throttled } from "./throttle.js";

const LIVE_PAUSE_MS = 500;
const MAX_BATCH = 24;
const MAX_URL_CHARS = 4000;
/** How far outside the window a chart is drawn already. */
const MARGIN = "300px";

/** The charts of one run. */
export function attachCharts(element) {
  const board = attachBoard(element, {
    isSingle: true,
    points: 1000,
    styleOf: () => ({ color: "--run-color", dash: 0, label: "" }),
    reload: () => htmx.ajax("GET", location.pathname + location.search, { target: "#run-tab", swap: "outerHTML show:none" }),
  });
  liveBoard(board, [element.dataset.run], ({ path }) => !path || path === element.dataset.path);
}

/** options: {isSingle, points (of a line), styleOf(line), reload()}. */
export function attachBoard(element, options) {
  const board = { element, startedAt: Number(element.dataset.started), query: () => [], ...options };
  board.cards = [...element.querySelectorAll("[data-chart]")].map((card) => makeCard(board, card));
  const byElement = new Map(board.cards.map((card) => [card.element, card]));
  board.fetchStale = throttled(() => fetchCards(board), 30);
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) byElement.get(entry.target).visible = entry.isIntersecting;
      board.fetchStale();
    },
    { rootMargin: MARGIN },
  );
  for (const card of board.cards) {
    watcher.observe(card.element);
  }
  board.restyle = () => board.cards.forEach((card) => card.restyle());
  board.refetch = () => {
    for (const card of board.cards) card.stale = true;
    return board.fetchStale();
  };
  if (board.cards.length) {
    attachTools(board);
    element.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-do]");
      if (button) (await import("./chart_menu.js")).choose(board, button);
      const opener = event.target.closest("[data-values-open]");
      if (opener) (await import("./chart_values.js")).toggleValues(board.cards.find((card) => card.element.contains(opener)), opener);
    });
  }
  addEventListener("runicorn:theme", () => board.cards.forEach((card) => card.redraw()));
  return board;
}

/** Fetch anew what is in view when one of the runs logged points. */
export function liveBoard(board, runs, isOurs) {
  const freshen = throttled(() => {
    if (!board.element.isConnected) return stops.forEach((stop) => stop());
    if (!board.cards.length) return board.reload();
    for (const card of board.cards) card.stale = true;
    return fetchCards(board);
  }, LIVE_PAUSE_MS);
  const stops = runs.map((run) =>
    listen(run, ({ changes, reset }) => {
      if (reset || changes.some((change) => change.kind === "points" && isOurs(change))) freshen();
    }),
  );
}

async function fetchCards(board) {
  for (const card of board.cards) if (card.visible && !card.stale && card.undrawn) card.redraw();
  for (const batch of batches(board.cards.filter((card) => card.visible && card.stale))) {
    const asked = JSON.stringify(batch[0].settings);
    const answer = await fetchLines(board, batch);
    if (!answer) return; // the next notice or scroll asks again; the page keeps what it has
    const byName = new Map(answer.metrics.map((metric) => [metric.name, metric]));
    for (const card of batch) {
      if (JSON.stringify(card.settings) !== asked) continue; // the reader chose something else meanwhile
      card.stale = false;
      const metric = byName.get(card.name);
      if (metric) card.show(metric, answer.stages);
    }
    if (answer.metric_count > board.cards.length) return void board.reload();
  }
}

function batches(cards) {
  const made = [];
  let size = Infinity;
  for (const card of cards) {
    size += encodeURIComponent(card.name).length + 8;
    if (size > MAX_URL_CHARS || made.at(-1).length === MAX_BATCH) {
      made.push([]);
      size = encodeURIComponent(card.name).length;
    }
    made.at(-1).push(card);
  }
  return made;
}

async function fetchLines(board, batch) {
  const { x, range, smooth } = batch[0].settings;
  const pairs = [...board.query(), ...batch.map((card) => ["metric", card.name]), ["points", board.points]];
  if (x !== "step") pairs.push(["x", x]);
  if (smooth) pairs.push(["smooth", smooth]);
  if (range) {
    // a chart that is zoomed in shows the points that were left out of the whole; a little more keeps the line whole
    const room = (range[1] - range[0]) * 0.02 + (x === "step" ? 1 : 0);
    pairs.push(["first", range[0] - room], ["last", range[1] + room]);
  }
  const url = board.element.dataset.url;
  try {
    const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams(pairs)}`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // no connection: the top bar says so
  }
}
