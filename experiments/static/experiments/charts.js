// The charts of a run: fetched in batches as they come into view, drawn anew while the run goes on.
import { drawChart } from "./chart_plot.js";
import { attachTools } from "./chart_tools.js";
import { attachValues } from "./chart_values.js";
import { listen } from "./live.js";
import { throttled } from "./throttle.js";

const POINTS = 1000;
const LIVE_PAUSE_MS = 500;
const MAX_BATCH = 24;
const MAX_URL_CHARS = 4000;
/** How far outside the window a chart is drawn already. */
const MARGIN = "300px";

export function attachCharts(board) {
  const cards = [...board.querySelectorAll("[data-chart]")].map((element) => makeCard(board, element));
  const byElement = new Map(cards.map((card) => [card.element, card]));
  const fetchStale = throttled(() => fetchCards(board, cards), 30);
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) byElement.get(entry.target).visible = entry.isIntersecting;
      fetchStale();
    },
    { rootMargin: MARGIN },
  );
  for (const card of cards) watcher.observe(card.element);

  const freshen = throttled(() => {
    if (!board.isConnected) return stop();
    if (!cards.length) return reloadBoard(board);
    for (const card of cards) card.stale = true;
    return fetchCards(board, cards);
  }, LIVE_PAUSE_MS);
  const stop = listen(board.dataset.run, ({ changes, reset }) => {
    const ours = changes.some((change) => change.kind === "points" && (!change.path || change.path === board.dataset.path));
    if (reset || ours) freshen();
  });

  if (cards.length) attachTools(board, cards);
  addEventListener("runicorn:theme", () => cards.forEach((card) => card.redraw()));
}

function makeCard(board, element) {
  const card = {
    element,
    name: element.dataset.metric,
    visible: false,
    stale: true,
    series: null,
    settings: { x: "step", log: false, smooth: 0 },
    startedAt: Number(board.dataset.started),
    redraw() {
      if (card.series && card.visible) drawChart(card);
      else card.undrawn = true;
    },
  };
  card.values = attachValues(card);
  const frame = element.querySelector("[data-plot]");
  new ResizeObserver(() => card.plot?.setSize({ width: frame.clientWidth, height: frame.clientHeight })).observe(frame);
  return card;
}

async function fetchCards(board, cards) {
  for (const card of cards) {
    if (!card.visible || card.stale || !card.undrawn) continue;
    card.undrawn = false;
    drawChart(card);
  }
  for (const batch of batches(cards.filter((card) => card.visible && card.stale))) {
    const answer = await fetchSeries(board, batch);
    if (!answer) return; // the next notice or scroll asks again; the page keeps what it has
    const byName = new Map(answer.series.map((series) => [series.name, series]));
    for (const card of batch) show(card, byName.get(card.name));
    if (answer.metric_count > cards.length) return void reloadBoard(board);
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

async function fetchSeries(board, batch) {
  const query = new URLSearchParams(batch.map((card) => ["metric", card.name]));
  query.set("points", POINTS);
  const url = board.dataset.url;
  try {
    const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}${query}`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // no connection: the top bar says so
  }
}

function show(card, series) {
  card.stale = false;
  if (!series || (card.series && sameSeries(card.series, series))) return;
  card.series = series;
  drawChart(card);
  card.values.refresh();
}

function sameSeries(one, other) {
  return one.total_points === other.total_points && one.last_step === other.last_step && one.last_value === other.last_value;
}

/** The run logged a metric that has no card yet: the server makes the cards, here they are swapped in. */
function reloadBoard(board) {
  htmx.ajax("GET", location.pathname + location.search, { target: "#run-tab", swap: "outerHTML show:none" });
}
