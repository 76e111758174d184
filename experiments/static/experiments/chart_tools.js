// The tools above the charts hold for all of them, and stand in the URL: a pasted address gives the same picture.
const REDRAW_PAUSE_MS = 120;
const SMOOTH_KEY = "runicorn-smooth";
/** Fields of the form that stand in the URL as they are, and what each is if it does not. */
const FIELDS = { match: "", x: "step", columns: "" };
const SWITCHES = ["log", "logx", "clip"];

export function attachTools(board) {
  const form = board.element.querySelector("[data-chart-tools]");
  const tools = { form, board, range: null };
  readUrl(tools);
  apply(tools);
  let timer = null;
  form.addEventListener("input", (event) => {
    if (event.target.name === "x") tools.range = null; // of the other axis
    if (event.target.name === "smooth") remember(event.target.value);
    clearTimeout(timer);
    timer = setTimeout(() => change(tools), REDRAW_PAUSE_MS);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  const zoomTo = (range) => {
    if (JSON.stringify(range) === JSON.stringify(tools.range)) return;
    tools.range = range;
    clearTimeout(timer); // every linked chart reports the same selection
    timer = setTimeout(() => change(tools));
  };
  for (const card of board.cards) card.zoomTo = zoomTo;
  form.querySelector("[data-zoom-out]").addEventListener("click", () => zoomTo(null));
}

function change(tools) {
  apply(tools);
  writeUrl(tools);
}

function readUrl(tools) {
  const { elements } = tools.form;
  const query = new URLSearchParams(location.search);
  for (const [name, usual] of Object.entries(FIELDS)) {
    const value = query.get(name) ?? usual;
    if (name === "x" && ![...elements.x.options].some((option) => option.value === value)) elements.x.add(new Option(value, value));
    if (elements[name]) elements[name].value = value;
  }
  elements.smooth.value = query.has("smooth") ? Number(query.get("smooth")) || 0 : remembered();
  for (const name of SWITCHES) elements[name].checked = query.get(name) === "1";
  const range = (query.get("range") ?? "").split("..").map(Number);
  if (range.length === 2 && range.every(Number.isFinite) && range[0] < range[1]) tools.range = range;
}

function writeUrl({ form: { elements }, range }) {
  const query = new URLSearchParams(location.search);
  const chosen = {};
  for (const [name, usual] of Object.entries(FIELDS)) chosen[name] = elements[name].value === usual ? "" : elements[name].value;
  chosen.smooth = Number(elements.smooth.value) || remembered() ? elements.smooth.value : "";
  for (const name of SWITCHES) chosen[name] = elements[name].checked ? "1" : "";
  chosen.range = range ? range.map((end) => Number(end.toPrecision(12))).join("..") : "";
  for (const [name, value] of Object.entries(chosen)) {
    query.delete(name); // the order is always the same, whatever was chosen first
    if (value) query.append(name, value);
  }
  history.replaceState(history.state, "", query.size ? `?${query}` : location.pathname);
}

function apply(tools) {
  const { form, board, range } = tools;
  const { elements } = form;
  const settings = { x: elements.x.value, smooth: Number(elements.smooth.value), range, log: elements.log.checked, logX: elements.logx.checked, clip: elements.clip.checked };
  form.querySelector("[data-smooth-value]").textContent = settings.smooth ? settings.smooth.toFixed(2) : "0";
  form.querySelector("[data-zoom-out]").hidden = !range;
  board.element.dataset.columns = elements.columns.value;
  showMatching(tools);
  const asks = ({ x, smooth, range: of }) => JSON.stringify([x, smooth, of]);
  for (const card of board.cards) {
    if (JSON.stringify(card.settings) === JSON.stringify(settings)) continue;
    const isNew = asks(card.settings) !== asks(settings);
    card.stale ||= isNew;
    card.settings = settings;
    if (!isNew) card.redraw();
  }
  board.fetchStale();
}

function showMatching({ form, board }) {
  const box = form.elements.match;
  const pattern = patternOf(box.value);
  box.setCustomValidity(pattern ? "" : gettext("This is not a regular expression."));
  box.classList.toggle("is-invalid", !pattern);
  if (!pattern) return;
  let hidden = 0;
  for (const card of board.cards) {
    card.element.hidden = !pattern.test(card.name);
    hidden += card.element.hidden;
  }
  for (const section of board.element.querySelectorAll("[data-section]")) section.hidden = !section.querySelector("[data-chart]:not([hidden])");
  form.querySelector("[data-hidden-count]").textContent = hidden ? interpolate(ngettext("%s chart hidden", "%s charts hidden", hidden), [hidden]) : "";
}

function patternOf(text) {
  try {
    return new RegExp(text, "i");
  } catch {
    return null;
  }
}

function remembered() {
  try {
    return Number(localStorage.getItem(SMOOTH_KEY)) || 0;
  } catch {
    return 0; // storage is forbidden
  }
}

function remember(weight) {
  try {
    localStorage.setItem(SMOOTH_KEY, weight);
  } catch {
    // for this page only
  }
}
