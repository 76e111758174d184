// From the server's series to the arrays that uPlot draws. No DOM in here.

/**
 * x, y (null where the line breaks: a value that was not finite) and the steps of each place.
 * x is the step, or seconds since the run began; then points without a time are left out.
 */
export function chartArrays(series, { x, log }, startedAt) {
  let points = series.steps.map((step, place) => ({ step, time: series.times[place], value: series.values[place] }));
  points = withBreaks(points, series.non_finite);
  if (x === "time") {
    points = points.filter((point) => point.time !== null).map((point) => ({ ...point, at: point.time - startedAt }));
    points.sort((one, other) => one.at - other.at);
  }
  return {
    x: points.map((point) => (x === "time" ? point.at : point.step)),
    y: points.map((point) => (point.value === null || (log && point.value <= 0) ? null : point.value)),
    steps: points.map((point) => point.step),
  };
}

/** Put a null where a value was not finite, with the time of the point before it. */
function withBreaks(points, nonFinite) {
  const merged = [];
  let place = 0;
  for (const [step] of nonFinite) {
    while (place < points.length && points[place].step <= step) merged.push(points[place++]);
    merged.push({ step, time: merged.at(-1)?.time ?? null, value: null });
  }
  return merged.concat(points.slice(place));
}

/** Exponential moving average without the pull towards the first value; breaks stay breaks. */
export function smoothed(values, weight) {
  let sum = 0;
  let count = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + value * (1 - weight);
    count += 1;
    return sum / (1 - weight ** count);
  });
}

/** Places of values that stand between two breaks. */
export function isolatedPlaces(values) {
  const isThere = (value) => value !== null && value !== undefined;
  const places = [...values.keys()];
  return places.filter((place) => isThere(values[place]) && !isThere(values[place - 1]) && !isThere(values[place + 1]));
}

const NON_FINITE = { nan: "NaN", inf: "∞", "-inf": "-∞" };

/** How a value that is not finite is written. */
export function nonFiniteText(kind) {
  return NON_FINITE[kind];
}

/** The last value, or the word for what it is instead of a number. */
export function lastValueText(series) {
  if (series.last_value !== null) return series.last_value;
  const last = series.non_finite.at(-1);
  return last ? nonFiniteText(last[1]) : "–";
}

/** The x of every mark for a value that was not finite. */
export function markPlaces(series, arrays, { x }) {
  if (x === "step") return series.non_finite.map(([step]) => step);
  const steps = new Set(series.non_finite.map(([step]) => step));
  return arrays.x.filter((_, place) => arrays.y[place] === null && steps.has(arrays.steps[place]));
}
