// One card's chart, drawn by uPlot.
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { drawMarks, drawStages } from "./chart_marks.js";
import { chartArrays, isolatedPlaces, lastValueText, markPlaces, smoothed } from "./chart_series.js";
import { axisLabels, axisNumber, duration, number } from "./format.js";

const X_AXIS_PX = 28;
const POINTS_SHOWN_UP_TO = 40;
const LOG_DECADE_PX = 30;
/** Distances between labels from 1e-32 up to what a float64 holds; uPlot's own end at 5e32. */
const Y_DISTANCES = Array.from({ length: 340 }, (_, place) => [1, 2, 2.5, 5].map((digit) => Number(`${digit}e${place - 32}`))).flat();
const LABEL_FONT = "11px system-ui, sans-serif";

export function drawChart(card) {
  const frame = card.element.querySelector("[data-plot]");
  const arrays = chartArrays(card.series, card.settings, card.startedAt);
  const drawn = arrays.y.some((value) => value !== null);
  const { x, log, smooth } = card.settings;
  const shape = JSON.stringify([x, log, smooth > 0, document.documentElement.dataset.bsTheme, drawn]);
  card.arrays = arrays;
  card.marks = markPlaces(card.series, arrays, card.settings);
  showReduction(card);
  showLast(card);
  if (card.plot && card.shape === shape) {
    card.plot.setData(columns(card));
    return undefined;
  }
  card.plot?.destroy();
  card.plot = null;
  card.shape = shape;
  frame.replaceChildren();
  if (!drawn && !card.marks.length) return note(frame, log);
  card.plot = new uPlot(options(card, frame), columns(card), frame);
  return undefined;
}

function columns(card) {
  const { x, y } = card.arrays;
  const weight = card.settings.smooth;
  return weight > 0 ? [x, y, smoothed(y, weight)] : [x, y];
}

function options(card, frame) {
  const color = (name) => getComputedStyle(frame).getPropertyValue(name).trim();
  const points = {
    size: 5,
    show: () => card.arrays.x.length <= POINTS_SHOWN_UP_TO,
    filter: (plot, series, all) => (all ? null : isolatedPlaces(card.arrays.y)), // no line reaches those
  };
  const line = { stroke: color("--run-color"), width: 1.75, points };
  const faint = { ...line, width: 1.25, alpha: 0.3 };
  const axis = { stroke: color("--chart-axis"), font: LABEL_FONT, grid: { stroke: color("--chart-grid"), width: 1 }, ticks: { show: false } };
  const byTime = card.settings.x === "time";
  return {
    width: frame.clientWidth,
    height: frame.clientHeight,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "run-charts" }, drag: { x: true, y: false, dist: 8, setScale: false }, bind: { dblclick: () => () => card.zoomTo(null) }, points: { size: 7 }, focus: { prox: -1 } },
    scales: { x: { time: false, range: (plot, low, high) => card.settings.range ?? xRange(card.arrays.x, low, high) }, y: card.settings.log ? { distr: 3 } : { range: yRange } },
    axes: [
      { ...axis, size: X_AXIS_PX, gap: 4, space: 64, values: (plot, places) => (byTime ? places.map(duration) : axisLabels(places)) },
      { ...axis, grid: { ...axis.grid, ...(card.settings.log ? { filter: logGridLines } : {}) }, gap: 4, space: 32, size: yAxisWidth, ...(card.settings.log ? {} : { incrs: Y_DISTANCES }), values: (plot, places) => (card.settings.log ? places.map((y) => (y === null ? "" : axisNumber(y))) : axisLabels(places)) },
    ],
    series: card.settings.smooth > 0 ? [{}, faint, { ...line, points: { show: false } }] : [{}, line],
    hooks: {
      drawClear: [(plot) => drawStages(plot, stagePlaces(card), { line: color("--chart-stage"), text: color("--chart-axis"), font: LABEL_FONT })],
      draw: [(plot) => drawMarks(plot, card.marks, color("--chart-mark"))],
      setCursor: [(plot) => showPointed(card, plot.cursor.idx)],
      setSelect: [(plot) => zoomToSelection(card, plot)],
    },
  };
}

/** One single point stands in the middle; uPlot would put it on the edge of a range of its own. */
function xRange(places, low, high) {
  if (low === null || low === undefined) return [0, 1];
  return places.length === 1 ? [places[0] - 1, places[0] + 1] : [low, high];
}

function yRange(plot, low, high) {
  if (low === null || low === undefined) return [0, 1];
  const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.06;
  return [low - room, high + room];
}

/** Over many decades only those with a label get a line: nine each would fill the chart with grey. */
function logGridLines(plot, places, ...rest) {
  const decade = Math.abs(plot.valToPos(10, "y") - plot.valToPos(1, "y"));
  return decade < LOG_DECADE_PX ? plot.axes[1].filter(plot, places, ...rest) : places;
}

function yAxisWidth(plot, labels) {
  const longest = Math.max(3, ...(labels ?? []).map((label) => (label ?? "").length));
  return Math.ceil(longest * 6.6) + 10;
}

function stagePlaces(card) {
  const { x } = card.settings;
  return card.stages
    .filter((stage) => x === "step" || stage.time !== null)
    .map((stage) => ({ name: stage.name, at: x === "step" ? stage.step : stage.time - card.startedAt }));
}

function zoomToSelection(card, plot) {
  const { left, width } = plot.select;
  if (!width) return;
  card.zoomTo([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
}

function showPointed(card, place) {
  const value = place === null || place === undefined ? null : card.arrays.y[place];
  card.element.classList.toggle("is-pointed", value !== null && value !== undefined);
  if (value === null || value === undefined) return showLast(card);
  const shown = card.settings.x === "time" ? duration(card.arrays.x[place]) : stepText(card.arrays.x[place]);
  return writeValue(card, value, shown);
}

function showLast(card) {
  const { last_step: step } = card.series;
  writeValue(card, lastValueText(card.series), step === null ? "" : stepText(step));
}

function writeValue(card, value, at) {
  const shown = card.element.querySelector("[data-value]");
  shown.textContent = typeof value === "number" ? number(value) : value;
  shown.value = shown.title = value;
  card.element.querySelector("[data-at]").textContent = at;
}

function stepText(step) {
  return interpolate(gettext("step %s"), [step]);
}

function showReduction(card) {
  const { steps, total_points: total, non_finite_count: bad } = card.series;
  const reduced = steps.length + bad < total;
  card.element.querySelector("[data-reduced]").textContent = reduced ? interpolate(gettext("%(shown)s of %(total)s points"), { shown: number(steps.length), total: number(total) }, true) : "";
  card.element.querySelector("[data-non-finite]").textContent = bad ? interpolate(ngettext("%s value is not finite", "%s values are not finite", bad), [number(bad)]) : "";
}

function note(frame, log) {
  const element = document.createElement("p");
  element.className = "chart-note";
  element.textContent = log ? gettext("No value above zero: nothing to draw on a logarithmic axis.") : gettext("No values to draw.");
  frame.append(element);
}
