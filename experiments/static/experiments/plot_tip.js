// What the cursor points at: a dot on each line, and for several lines a list, nearest first.
import { number } from "./format.js";

const MOST = 14;

export function attachTip(frame) {
  const tip = document.createElement("div");
  tip.className = "plot-tip";
  const dots = [];

  const show = (plot, found, title, { withText }) => {
    if (!plot) return hide();
    const placed = found.map(({ line, place }) => ({ line, place, left: plot.valToPos(line.points.x[place], "x"), top: plot.valToPos(line.points.y[place], "y") }));
    const { left, top } = plot.cursor;
    placed.sort((one, other) => Math.abs(one.top - top) - Math.abs(other.top - top));
    const near = placed.slice(0, MOST);
    const base = placed.find(({ line }) => line.isBaseline);
    const over = plot.over;
    near.forEach(({ line, left: x, top: y }, place) => {
      const dot = dots[place] ?? (dots[place] = Object.assign(document.createElement("i"), { className: "plot-dot" }));
      if (dot.parentElement !== over) over.append(dot);
      dot.style.transform = `translate(${x}px, ${y}px)`;
      dot.style.background = line.color.startsWith("--") ? `var(${line.color})` : line.color;
      dot.hidden = false;
    });
    for (const dot of dots.slice(near.length)) dot.hidden = true;
    // charts that only follow the cursor of another one show dots, and leave the list to it
    if (!withText || !near.length || !over.matches(":hover")) return void tip.remove();
    tip.replaceChildren(Object.assign(document.createElement("strong"), { textContent: title }), ...near.map((found) => entry(found, base)), ...more(placed.length - near.length));
    if (tip.parentElement !== over) over.append(tip);
    const onRight = left + tip.offsetWidth + 24 < over.clientWidth;
    tip.style.left = `${onRight ? left + 14 : Math.max(0, left - tip.offsetWidth - 14)}px`;
    tip.style.top = `${Math.max(0, Math.min(top - 20, over.clientHeight - tip.offsetHeight))}px`;
    return undefined;
  };
  const hide = () => {
    tip.remove();
    for (const dot of dots) dot.hidden = true;
  };
  frame.addEventListener("mouseleave", () => tip.remove());
  return { show };
}

/** base: the line of the baseline; what it has at the very same place is compared. */
function entry({ line, place }, base) {
  const row = document.createElement("span");
  const swatch = Object.assign(document.createElement("i"), { className: "plot-swatch" });
  swatch.style.background = line.color.startsWith("--") ? `var(${line.color})` : line.color;
  const spread = line.band ? ` (${number(line.band.low[place])} – ${number(line.band.high[place])}, n=${line.band.counts[place]})` : "";
  const value = Object.assign(document.createElement("b"), { textContent: number(line.points.y[place]) + spread + difference({ line, place }, base) });
  row.append(swatch, Object.assign(document.createElement("span"), { textContent: line.label }), value);
  return row;
}

function difference({ line, place }, base) {
  if (!base || line === base.line || line.points.x[place] !== base.line.points.x[base.place]) return "";
  const distance = line.points.y[place] - base.line.points.y[base.place];
  return ` (${distance < 0 ? "" : distance ? "+" : "±"}${number(distance)})`;
}

function more(count) {
  return count > 0 ? [Object.assign(document.createElement("em"), { textContent: interpolate(ngettext("%s more run", "%s more runs", count), [count]) })] : [];
}
