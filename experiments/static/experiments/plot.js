// One chart: axes, zoom and cursor by uPlot, lines by us, since each line has an x of its own.
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { axisLabels, axisNumber, duration } from "./format.js";
import { drawLines, drawMarks, drawStages } from "./plot_draw.js";
import { nearestPlace, xRange, yRange } from "./plot_scales.js";

const X_AXIS_PX = 28;
const LOG_DECADE_PX = 30;
/** Distances between labels from 1e-32 up to what a float64 holds; uPlot's own end at 5e32. */
const Y_DISTANCES = Array.from({ length: 340 }, (_, place) => [1, 2, 2.5, 5].map((digit) => Number(`${digit}e${place - 32}`))).flat();
const LABEL_FONT = "11px system-ui, sans-serif";

/**
 * A chart in `frame`.
 *
 * content(): {lines, settings, stages, marks} as they are now. A line: {points: {x, y}, smooth_x, smooth_y, band: {low,
 * high}, color (CSS), dash (number of a pattern)}; y is null where the line breaks. settings: {x, range, log, logX, clip}.
 * onZoom([first, last] or null); onPoint(x of the cursor or null, plot).
 */
export function makePlot(frame, { content, onZoom, onPoint }) {
  let plot = null;
  let shape = "";
  const draw = () => {
    const { lines, settings } = content();
    const x = xRange(lines, settings);
    const y = x && yRange(lines, x, settings);
    const now = JSON.stringify([settings.x, settings.log, settings.logX, document.documentElement.dataset.bsTheme, Boolean(y)]);
    if (plot && shape === now) return plot.setData([x, [null, null]]);
    plot?.destroy();
    plot = null;
    shape = now;
    frame.replaceChildren();
    if (y) plot = new uPlot(options(frame, { content, onZoom, onPoint }), [x, [null, null]], frame);
    else note(frame, settings);
    return undefined;
  };
  new ResizeObserver(() => plot?.setSize({ width: frame.clientWidth, height: frame.clientHeight })).observe(frame);
  return { draw, get plot() { return plot; } };
}

function options(frame, { content, onZoom, onPoint }) {
  const color = (name) => getComputedStyle(frame).getPropertyValue(name).trim();
  const axis = { stroke: color("--chart-axis"), font: LABEL_FONT, grid: { stroke: color("--chart-grid"), width: 1 }, ticks: { show: false } };
  const { settings } = content();
  const now = () => {
    const { lines, settings: chosen } = content();
    const x = xRange(lines, chosen) ?? [0, 1];
    return { x, y: yRange(lines, x, chosen) ?? [0, 1] };
  };
  return {
    width: frame.clientWidth,
    height: frame.clientHeight,
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: `charts-${settings.x}`, scales: ["x", null] }, drag: { x: true, y: false, dist: 8, setScale: false }, bind: { dblclick: () => () => onZoom(null) }, points: { show: false }, focus: { prox: -1 } },
    scales: {
      x: { time: settings.x === "time", distr: settings.logX ? 3 : 1, range: () => now().x },
      y: { distr: settings.log ? 3 : 1, range: () => now().y },
    },
    axes: [
      { ...axis, size: X_AXIS_PX, gap: 4, space: 64, ...(settings.x === "time" ? {} : { values: labels(settings.logX, settings.x === "relative" ? duration : null) }) },
      { ...axis, grid: { ...axis.grid, ...(settings.log ? { filter: logGridLines } : {}) }, gap: 4, space: 32, size: yAxisWidth, ...(settings.log ? {} : { incrs: Y_DISTANCES }), values: labels(settings.log, null) },
    ],
    series: [{}, {}],
    hooks: {
      drawClear: [(plot) => drawStages(plot, content().stages, { line: color("--chart-stage"), text: color("--chart-axis"), font: LABEL_FONT })],
      draw: [
        (plot) => {
          const { lines, settings: chosen, marks } = content();
          drawLines(plot, lines.map((line) => ({ ...line, color: resolved(frame, line.color) })), { log: chosen.log, faintAlpha: 0.28 });
          drawMarks(plot, marks, color("--chart-mark"));
        },
      ],
      setCursor: [(plot) => onPoint(plot.cursor.left < 0 ? null : plot.posToVal(plot.cursor.left, "x"), plot)],
      setSelect: [(plot) => zoomToSelection(plot, onZoom)],
    },
  };
}

/** A canvas knows no custom properties. */
function resolved(frame, color) {
  return color.startsWith("--") ? getComputedStyle(frame).getPropertyValue(color).trim() : color;
}

function labels(log, write) {
  return (plot, places) => (log ? places.map((place) => (place === null ? "" : (write ?? axisNumber)(place))) : write ? places.map(write) : axisLabels(places));
}

/** Over many decades only those with a label get a line: nine each would fill the chart with grey. */
function logGridLines(plot, places, ...rest) {
  const decade = Math.abs(plot.valToPos(10, "y") - plot.valToPos(1, "y"));
  return decade < LOG_DECADE_PX ? plot.axes[1].filter(plot, places, ...rest) : places;
}

function yAxisWidth(plot, texts) {
  const longest = Math.max(3, ...(texts ?? []).map((text) => (text ?? "").length));
  return Math.ceil(longest * 6.6) + 10;
}

function zoomToSelection(plot, onZoom) {
  const { left, width } = plot.select;
  if (!width) return;
  onZoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
}

function note(frame, { log, logX }) {
  const element = document.createElement("p");
  element.className = "chart-note";
  element.textContent = log || logX ? gettext("No value above zero: nothing to draw on a logarithmic axis.") : gettext("No values to draw.");
  frame.append(element);
}

/** What each line has nearest to `at`: {line, place}, lines without points left out. */
export function pointsAt(lines, at) {
  return lines.map((line) => ({ line, place: nearestPlace(line.points.x, at) })).filter(({ line, place }) => place >= 0 && line.points.y[place] !== null);
}
