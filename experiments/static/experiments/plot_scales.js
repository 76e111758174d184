// From lines to the ranges of the axes. No DOM in here.

/** Lowest and highest x of the lines; with `log` of those above zero. Null if there is none. */
export function xRange(lines, { range, logX }) {
  if (range) return range;
  const [low, high] = extent(lines.flatMap((line) => ends(line.points.x)), logX);
  if (low === null) return null;
  if (low === high) return logX ? [low / 2, low * 2] : [low - 1, low + 1]; // a single point stands in the middle
  return [low, high];
}

function ends(x) {
  let low = Infinity;
  let high = -Infinity;
  for (const at of x) {
    if (at < low) low = at;
    if (at > high) high = at;
  }
  return [low, high];
}

/**
 * Lowest and highest y in the range of x, with a little room. `clip` leaves out the 2 % of the points at either end
 * that are furthest away: one spike does not flatten the rest.
 */
export function yRange(lines, [first, last], { log, clip }) {
  const seen = [];
  for (const { points, band, smooth_x: x, smooth_y: y } of lines) {
    const add = (places, values) => {
      for (let place = 0; place < places.length; place += 1) {
        const value = values[place];
        if (value !== null && places[place] >= first && places[place] <= last && !(log && value <= 0)) seen.push(value);
      }
    };
    add(points.x, points.y);
    if (band) [band.low, band.high].forEach((edge) => add(points.x, edge));
    if (x) add(x, y);
  }
  const [low, high] = clip ? clipped(seen) : extent(seen, log);
  if (low === null) return null;
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
  const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.06;
  return [low - room, high + room];
}

function extent(values, positive) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (positive && !(value > 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [null, null];
}

function clipped(values) {
  if (!values.length) return [null, null];
  const sorted = Float64Array.from(values).sort();
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return [at(0.02), at(0.98)];
}

/** The place whose x is nearest; -1 of an empty line. Lines over a metric may go back and forth. */
export function nearestPlace(x, at) {
  let low = 0;
  let high = x.length - 1;
  if (x.sorted === undefined) x.sorted = x.every((value, place) => !place || value >= x[place - 1]);
  if (!x.sorted) return x.reduce((best, value, place) => (Math.abs(value - at) < Math.abs(x[best] - at) ? place : best), 0);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] < at) low = middle;
    else high = middle;
  }
  return high < 0 ? -1 : Math.abs(x[low] - at) <= Math.abs(x[high] - at) ? low : high;
}
