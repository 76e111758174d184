// A card: its chart, what its head says, and what the cursor points at.
import { drawable, lastValueText } from "./chart_lines.js";
import { duration, exactTime, number } from "./format.js";
import { makePlot, pointsAt } from "./plot.js";
import { attachTip } from "./plot_tip.js";

const NEAR_PX = 40;

export function makeCard(board, element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const card = {
    element,
    name: element.dataset.metric,
    visible: false,
    stale: true,
    metric: null,
    lines: [],
    stages: [],
    settings: {},
    redraw() {
      if (!card.metric) return;
      if (!card.visible) card.undrawn = true;
      else draw();
    },
    show(metric, stages) {
      card.metric = metric;
      card.stages = stages ?? [];
      restyle();
      card.redraw();
      card.onShown?.();
    },
    restyle() {
      if (!card.metric) return;
      restyle();
      card.redraw();
    },
  };
  const restyle = () => {
    card.lines = card.metric.lines.flatMap((line) => {
      const style = board.styleOf(line);
      return style ? [drawable(line, style)] : [];
    });
  };
  const tip = attachTip(part("plot"));
  const plot = makePlot(part("plot"), {
    content: () => ({ lines: card.lines, settings: card.settings, stages: stagePlaces(card, board.startedAt), marks: card.lines.flatMap((line) => line.non_finite.map(([x]) => x)) }),
    onZoom: (range) => card.zoomTo(range),
    onPoint: (at, drawn) => point(at, drawn),
  });
  card.chart = plot;
  const draw = () => {
    card.undrawn = false;
    plot.draw();
    showReduction(card);
    if (board.isSingle) showLast(card);
    const drawn = plot.plot;
    if (drawn?.cursor.left >= 0) point(drawn.posToVal(drawn.cursor.left, "x"), drawn); // what it points at is new
  };
  const point = (at, drawn) => {
    let found = at === null ? [] : pointsAt(card.lines, at);
    // a line that ended long before has nothing to say here
    if (!board.isSingle) found = found.filter(({ line, place }) => Math.abs(drawn.valToPos(line.points.x[place], "x") - drawn.cursor.left) < NEAR_PX);
    element.classList.toggle("is-pointed", found.length > 0);
    tip.show(drawn, found, found.length ? xText(card.settings.x, found[0]) : "", { withText: !board.isSingle });
    if (!board.isSingle) return;
    if (found.length) writeValue(card, found[0].line.points.y[found[0].place], xText(card.settings.x, found[0]));
    else if (card.lines.length) showLast(card);
  };
  return card;
}

function stagePlaces({ stages, settings: { x } }, startedAt) {
  if (x === "step") return stages.map(({ name, step }) => ({ name, at: step }));
  if (x !== "relative" && x !== "time") return [];
  return stages.filter((stage) => stage.time !== null).map(({ name, time }) => ({ name, at: x === "time" ? time : time - startedAt }));
}

/** Where on the x axis a point lies, in words. */
function xText(x, { line, place }) {
  const at = line.points.x[place];
  if (x === "step") return stepText(at);
  if (x === "relative") return duration(at);
  return x === "time" ? exactTime(at) : `${x} ${number(at)}`;
}

function showLast(card) {
  const [line] = card.lines;
  if (line) writeValue(card, lastValueText(line), line.last_step === null ? "" : stepText(line.last_step));
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

function showReduction({ element, lines }) {
  const sum = (of) => lines.reduce((total, line) => total + of(line), 0);
  const bad = sum((line) => line.non_finite_count);
  const [shown, total] = [sum((line) => line.x.length), sum((line) => line.total)];
  const reduced = shown + bad < total;
  element.querySelector("[data-reduced]").textContent = reduced ? interpolate(gettext("%(shown)s of %(total)s points"), { shown: number(shown), total: number(total) }, true) : "";
  element.querySelector("[data-non-finite]").textContent = bad ? interpolate(ngettext("%s value is not finite", "%s values are not finite", bad), [number(bad)]) : "";
}
