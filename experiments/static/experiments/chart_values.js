// The table behind a chart: the same points, for those who cannot see the line or want to copy numbers.
import { nonFiniteText } from "./chart_series.js";
import { number } from "./format.js";

export function attachValues(card) {
  const button = card.element.querySelector("[data-values-open]");
  const frame = card.element.querySelector("[data-values]");
  const refresh = () => {
    if (!frame.hidden && card.series) frame.replaceChildren(tableOf(card.series));
  };
  button.addEventListener("click", () => {
    frame.hidden = !frame.hidden;
    button.setAttribute("aria-expanded", String(!frame.hidden));
    if (frame.hidden) frame.replaceChildren();
    refresh();
  });
  return { refresh };
}

function tableOf(series) {
  const table = document.createElement("table");
  const words = { name: series.name, shown: number(series.steps.length), total: number(series.total_points) };
  table.createCaption().textContent = interpolate(gettext("%(name)s: %(shown)s of %(total)s points"), words, true);
  const head = table.createTHead().insertRow();
  for (const label of [gettext("Step"), gettext("Value")]) head.append(headCell(label, "col"));
  const body = table.createTBody();
  for (const { step, text } of rowsOf(series)) {
    const row = body.insertRow();
    row.append(headCell(String(step), "row"));
    row.insertCell().textContent = text;
  }
  return table;
}

function headCell(text, scope) {
  const cell = document.createElement("th");
  cell.scope = scope;
  cell.textContent = text;
  return cell;
}

/** By step; a value that is not finite stands among the others by its name. */
function rowsOf(series) {
  const finite = series.steps.map((step, place) => ({ step, text: String(series.values[place]) }));
  const others = series.non_finite.map(([step, kind]) => ({ step, text: nonFiniteText(kind) }));
  return others.length ? [...finite, ...others].sort((one, other) => one.step - other.step) : finite;
}
