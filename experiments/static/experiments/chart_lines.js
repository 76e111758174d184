// From the server's lines to what plot.js draws. No DOM in here.
const NON_FINITE = { nan: "NaN", inf: "∞", "-inf": "-∞" };

/** The line with its points, broken where a value was not finite. style: {color, dash, label}. */
export function drawable(line, style) {
  return { ...line, ...style, points: withBreaks(line) };
}

function withBreaks({ x, y, steps, non_finite: bad }) {
  if (!bad.length) return { x, y, steps: steps ?? x };
  const points = { x: [], y: [], steps: [] };
  const add = (at, value, step) => {
    points.x.push(at);
    points.y.push(value);
    points.steps.push(step);
  };
  let place = 0;
  for (const [at] of bad) {
    for (; place < x.length && x[place] <= at; place += 1) add(x[place], y[place], (steps ?? x)[place]);
    add(at, null, null);
  }
  for (; place < x.length; place += 1) add(x[place], y[place], (steps ?? x)[place]);
  return points;
}

/** How a value that is not finite is written. */
export function nonFiniteText(kind) {
  return NON_FINITE[kind];
}

/** The last value, or the word for what it is instead of a number. */
export function lastValueText(line) {
  if (line.last_value !== null) return line.last_value;
  const last = line.non_finite.at(-1);
  return last ? nonFiniteText(last[1]) : "–";
}
