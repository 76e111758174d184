// How the pages write numbers, times and durations. The server writes them alike: templatetags/runicorn_pages.py.
const DATE_AFTER_S = 30 * 86400;
const two = (number) => String(number).padStart(2, "0");
const grouped = (number) => number.toLocaleString("en-US", { maximumFractionDigits: 0 });
const bareExponent = (text) => text.replace("e+", "e");

// The reader's clock may be wrong; the server said in the page what time it is.
const skew = document.body.dataset.now ? Number(document.body.dataset.now) - Date.now() / 1000 : 0;

/** Unix seconds by the server's clock. */
export function now() {
  return Date.now() / 1000 + skew;
}

/** Four significant digits; whole numbers up to ten million in full. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size < 1e7 && Number.isInteger(value)) return grouped(value === 0 ? 0 : value);
  if (size < 1e-4 || size >= 1e7) return bareExponent(value.toExponential(3));
  return size >= 9999.5 ? grouped(value) : value.toPrecision(4);
}

const UNITS = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** The labels of a linear axis, all written alike: 0, 50k, 100k and not 0, 50000, 1e5. */
export function axisLabels(values) {
  const largest = Math.max(...values.map(Math.abs));
  const distance = Math.abs(values[1] - values[0]);
  // close to each other, as after a zoom, they are written in full: 123456, 123457
  const unit = largest >= 1e4 && largest < 1e12 ? UNITS.find(([size]) => largest >= size && distance * 100 >= size) : null;
  if (unit) return values.map((value) => (value === 0 ? "0" : `${Number((value / unit[0]).toPrecision(7))}${unit[1]}`));
  if (largest >= 1e-3 && largest < 1e12) return values.map((value) => String(Number(value.toPrecision(10))));
  return values.map((value) => (value === 0 ? "0" : bareExponent(Number(value.toPrecision(4)).toExponential())));
}

/** A label of a logarithmic axis. */
export function axisNumber(value) {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e5) return bareExponent(Number(value.toPrecision(4)).toExponential());
  if (size < 1e-4) return bareExponent(Number(value.toPrecision(4)).toExponential());
  return String(Number(value.toPrecision(7)));
}

/** "4 min ago"; a date for what is more than a month old. */
export function ago(at) {
  const age = now() - at;
  if (age >= DATE_AFTER_S) return new Date(at * 1000).toLocaleDateString("sv-SE");
  if (age < 60) return gettext("just now");
  if (age < 3600) return interpolate(gettext("%(n)s min ago"), { n: Math.floor(age / 60) }, true);
  if (age < 86400) return interpolate(gettext("%(n)s h ago"), { n: Math.floor(age / 3600) }, true);
  return interpolate(gettext("%(n)s d ago"), { n: Math.floor(age / 86400) }, true);
}

/** The two largest units: "2 h 05 min"; below ten seconds one decimal. */
export function duration(seconds) {
  const size = Math.max(0, seconds);
  if (size < 9.95) return interpolate(gettext("%(s)s s"), { s: size.toFixed(1) }, true);
  const whole = Math.round(size);
  if (whole < 60) return interpolate(gettext("%(s)s s"), { s: whole }, true);
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  if (whole < 3600) return interpolate(gettext("%(m)s min %(s)s s"), { m: minutes, s: two(whole % 60) }, true);
  if (whole < 86400) return interpolate(gettext("%(h)s h %(m)s min"), { h: hours, m: two(minutes % 60) }, true);
  return interpolate(gettext("%(d)s d %(h)s h"), { d: Math.floor(hours / 24), h: two(hours % 24) }, true);
}

/** A moment in the reader's time zone: "2026-11-23 14:05:09". */
export function exactTime(at) {
  return new Date(at * 1000).toLocaleString("sv-SE");
}
