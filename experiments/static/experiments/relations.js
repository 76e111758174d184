// Parallel coordinates and scatter of compared runs. What is brushed is what the table below shows.
import { init } from "../vendor/echarts/echarts.esm.min.js";
import { number } from "./format.js";

const FAINT = 0.08;
const POINT_PX = 11;
/** Values so many times as large as others: learning rates, sizes. */
const LOG_FROM = 100;

export function attachRelations(part) {
  const { kind, axes, runs } = JSON.parse(document.getElementById("compare-drawn").textContent);
  const frame = part.querySelector("[data-relations-plot]");
  const chart = init(frame, null, { renderer: "canvas" });
  const draw = () => {
    const look = lookOf(frame);
    chart.setOption({ animation: false, textStyle: { fontFamily: "inherit", color: look.text }, ...(kind === "parallel" ? parallel : scatter)(axes, runs, look) }, true);
    if (kind === "scatter") chart.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "rect", brushMode: "single" } });
  };
  const choose = (places) => showChosen(part, runs, places);
  const all = runs.map((_, place) => place);
  chart.on("axisareaselected", () => choose(inAllStretches(chart)));
  chart.on("brushselected", ({ batch: [brushed] }) => {
    if (!brushed) return;
    const { areas, selected } = brushed;
    choose(areas.length ? selected.filter((series) => series.dataIndex.length).map((series) => series.seriesIndex) : all);
  });
  part.querySelector("[data-relations-clear]").addEventListener("click", () => {
    draw();
    chart.dispatchAction({ type: "brush", areas: [] });
    choose(all);
  });
  addEventListener("runicorn:theme", draw);
  new ResizeObserver(() => chart.resize()).observe(frame);
  draw();
}

function lookOf(frame) {
  const style = getComputedStyle(frame);
  const color = (name) => style.getPropertyValue(name).trim();
  return { text: color("--text"), quiet: color("--text-quiet"), line: color("--line-strong"), accent: color("--accent"), ofRun: (run) => color(`--run-${run.color}`) };
}

const axisLook = (look) => ({ axisLine: { lineStyle: { color: look.line } }, axisTick: { lineStyle: { color: look.line } }, axisLabel: { color: look.quiet }, splitLine: { show: false } });

/** A number's axis holds just its values, logarithmic if they span many; texts stand as a person would sort them. */
function scaleOf(axis) {
  if (axis.is_number) {
    const values = axis.values.filter((value) => value !== null);
    const low = Math.min(...values);
    const isLog = low > 0 && Math.max(...values) / low >= LOG_FROM;
    return { type: isLog ? "log" : "value", scale: true, axisLabel: { formatter: number } };
  }
  const texts = [...new Set(axis.values.filter((value) => value !== null))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  return { type: "category", data: texts, axisLabel: { formatter: (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text) } };
}

function parallel(axes, runs, look) {
  return {
    parallelAxis: axes.map((axis, dim) => {
      const scale = scaleOf(axis);
      const own = axisLook(look);
      return { ...own, ...scale, axisLabel: { ...own.axisLabel, ...scale.axisLabel }, dim, name: axis.name, nameTextStyle: { color: look.text, fontWeight: 600 }, areaSelectStyle: { color: look.accent, borderColor: look.accent, opacity: 0.25, width: 18 } };
    }),
    parallel: { left: 60, right: 90, top: 44, bottom: 24 },
    series: [
      {
        type: "parallel",
        inactiveOpacity: FAINT,
        activeOpacity: 1,
        data: runs.map((run, place) => ({ name: run.label, value: axes.map((axis) => axis.values[place] ?? "-"), lineStyle: { color: look.ofRun(run), width: 1.8, opacity: 0.85, type: run.dash ? "dashed" : "solid" } })),
      },
    ],
  };
}

/** Those that no stretch leaves out; "normal" are all while none is drawn. */
function inAllStretches(chart) {
  const [series] = chart.getModel().getSeries();
  return ["active", "normal"].flatMap((state) => series.getRawIndicesByActiveState(state));
}

function scatter([x, y], runs, look) {
  const side = (axis, place) => {
    const scale = scaleOf(axis);
    const own = axisLook(look);
    // room beside the outermost points, so that a rectangle can be drawn around them
    const room = scale.type === "value" ? { boundaryGap: ["5%", "5%"] } : {};
    return { ...own, ...scale, ...room, axisLabel: { ...own.axisLabel, ...scale.axisLabel }, name: axis.name, nameLocation: "middle", nameGap: place, nameTextStyle: { color: look.text, fontWeight: 600 } };
  };
  const shown = (value) => (typeof value === "number" ? number(value) : value);
  return {
    grid: { left: 90, right: 30, top: 24, bottom: 60 },
    xAxis: side(x, 34),
    yAxis: side(y, 64),
    tooltip: { renderMode: "richText", formatter: ({ seriesName, value }) => `${seriesName}\n${x.name}: ${shown(value[0])}\n${y.name}: ${shown(value[1])}` },
    toolbox: { show: false },
    brush: { toolbox: [], xAxisIndex: 0, yAxisIndex: 0, transformable: true, brushStyle: { color: "transparent", borderColor: look.accent }, outOfBrush: { colorAlpha: 0.12 } },
    series: runs.map((run, place) => ({ type: "scatter", name: run.label, symbolSize: POINT_PX, itemStyle: { color: look.ofRun(run) }, data: x.values[place] === null || y.values[place] === null ? [] : [[x.values[place], y.values[place]]] })),
  };
}

function showChosen(part, runs, places) {
  const chosen = new Set(places.map((place) => runs[place].id));
  for (const row of part.querySelectorAll("[data-relation]")) row.hidden = !chosen.has(row.dataset.relation);
  const isPart = chosen.size < runs.length;
  part.querySelector("[data-relations-count]").textContent = isPart
    ? interpolate(gettext("%(n)s of %(all)s runs"), { n: chosen.size, all: runs.length }, true)
    : interpolate(ngettext("%s run", "%s runs", runs.length), [runs.length]);
  part.querySelector("[data-relations-clear]").hidden = !isPart;
  const keep = part.querySelector("[data-relations-keep]");
  keep.hidden = !isPart || chosen.size === 0;
  const query = new URLSearchParams(location.search);
  query.set("runs", [...chosen].join(","));
  keep.href = `?${query.toString().replaceAll("%2C", ",")}`;
}
