// The table behind a chart: the same points, for those who cannot see the line or want to copy numbers.
import { nonFiniteText } from "./chart_lines.js";
import { number } from "./format.js";

/** A browser with a table of more lines is slow; the file has them all. */
const MOST_ROWS = 5000;

/** button: that of the card which opens and closes the table. */
export function toggleValues(card, button) {
  const frame = card.element.querySelector("[data-values]");
  frame.hidden = !frame.hidden;
  button.setAttribute("aria-expanded", String(!frame.hidden));
  card.onShown = frame.hidden ? undefined : () => frame.replaceChildren(tableOf(card));
  if (frame.hidden) frame.replaceChildren();
  else if (card.metric) card.onShown();
}

/** [line's label, x, value as a text] of each point, by line and x; what is not finite stands among the others. */
export function rowsOf(card) {
  return card.lines.flatMap((line) => {
    const finite = line.x.map((at, place) => [line.label, at, String(line.y[place])]);
    const others = line.non_finite.map(([at, kind]) => [line.label, at, nonFiniteText(kind)]);
    return others.length ? [...finite, ...others].sort((one, other) => one[1] - other[1]) : finite;
  });
}

function tableOf(card) {
  const table = document.createElement("table");
  const total = card.lines.reduce((sum, line) => sum + line.total, 0);
  const shown = card.lines.reduce((sum, line) => sum + line.x.length, 0);
  const words = { name: card.name, shown: number(shown), total: number(total) };
  table.createCaption().textContent = interpolate(gettext("%(name)s: %(shown)s of %(total)s points"), words, true);
  const several = card.lines.length > 1;
  const head = table.createTHead().insertRow();
  const x = card.settings.x === "step" ? gettext("Step") : card.settings.x;
  for (const label of [...(several ? [gettext("Run")] : []), x, gettext("Value")]) head.append(headCell(label, "col"));
  const body = table.createTBody();
  for (const [label, at, text] of rowsOf(card).slice(0, MOST_ROWS)) {
    const row = body.insertRow();
    if (several) row.insertCell().textContent = label;
    row.append(headCell(String(at), "row"));
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
