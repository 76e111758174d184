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

  if (cards.length) attachTools(board, cards, fetchStale);
  addEventListener("runicorn:theme", () => cards.forEach((card) => card.redraw()));
}

function makeCard(board, element) {
  const card = {
    element,
    name: element.dataset.metric,
    visible: false,
    stale: true,
    series: null,
    stages: [],
    settings: { x: "step", log: false, smooth: 0, range: null },
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
    for (const card of batch) show(card, byName.get(card.name), answer.stages);
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
  const { x, range } = batch[0].settings;
  if (range && x === "step") {
    // a chart that is zoomed in shows the points that were left out of the whole; one more on each side keeps the line whole
    query.set("first", Math.floor(range[0]) - 1);
    query.set("last", Math.ceil(range[1]) + 1);
  }
  const url = board.dataset.url;
  try {
    const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}${query}`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // no connection: the top bar says so
  }
}

function show(card, series, stages) {
  card.stale = false;
  if (!series || (card.series && sameSeries(card.series, series))) return;
  card.series = series;
  card.stages = stages;
  drawChart(card);
  card.values.refresh();
}

function sameSeries(one, other) {
  const ends = (series) => JSON.stringify([series.total_points, series.steps[0], series.last_step, series.last_value]);
  return ends(one) === ends(other);
}

/** The run logged a metric that has no card yet: the server makes the cards, here they are swapped in. */
function reloadBoard(board) {
  htmx.ajax("GET", location.pathname + location.search, { target: "#run-tab", swap: "outerHTML show:none" });
}
