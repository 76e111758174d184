// The tools above the charts hold for all of them, and stand in the URL: a pasted address gives the same picture.
const REDRAW_PAUSE_MS = 60;

export function attachTools(board, cards, fetchStale) {
  const tools = { form: board.querySelector("[data-chart-tools]"), board, cards, fetchStale, range: null };
  const { form } = tools;
  readUrl(tools);
  apply(tools);
  let timer = null;
  form.addEventListener("input", (event) => {
    if (event.target.name === "x") tools.range = null; // of the other axis
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
  for (const card of cards) card.zoomTo = zoomTo;
  form.querySelector("[data-zoom-out]").addEventListener("click", () => zoomTo(null));
}

function change(tools) {
  apply(tools);
  writeUrl(tools);
}

function readUrl(tools) {
  const { elements } = tools.form;
  const query = new URLSearchParams(location.search);
  elements.match.value = query.get("match") ?? "";
  elements.x.value = query.get("x") === "time" ? "time" : "step";
  elements.smooth.value = Number(query.get("smooth")) || 0;
  elements.log.checked = query.get("log") === "1";
  const range = (query.get("range") ?? "").split("..").map(Number);
  if (range.length === 2 && range.every(Number.isFinite) && range[0] < range[1]) tools.range = range;
}

function writeUrl({ form: { elements }, range }) {
  const query = new URLSearchParams(location.search);
  const chosen = {
    match: elements.match.value,
    x: elements.x.value === "time" ? "time" : "",
    smooth: Number(elements.smooth.value) ? elements.smooth.value : "",
    log: elements.log.checked ? "1" : "",
    range: range ? range.map((end) => Number(end.toPrecision(8))).join("..") : "",
  };
  for (const [name, value] of Object.entries(chosen)) {
    query.delete(name); // the order is always the same, whatever was chosen first
    if (value) query.append(name, value);
  }
  history.replaceState(history.state, "", query.size ? `?${query}` : location.pathname);
}

function apply(tools) {
  const { form, cards, fetchStale, range } = tools;
  const settings = { x: form.elements.x.value, log: form.elements.log.checked, smooth: Number(form.elements.smooth.value), range };
  form.querySelector("[data-smooth-value]").textContent = settings.smooth ? settings.smooth.toFixed(2) : "0";
  form.querySelector("[data-zoom-out]").hidden = !range;
  showMatching(tools);
  for (const card of cards) {
    if (JSON.stringify(card.settings) === JSON.stringify(settings)) continue;
    card.stale ||= JSON.stringify(card.settings.range) !== JSON.stringify(range);
    card.settings = settings;
    card.redraw();
  }
  fetchStale();
}

function showMatching({ form, board, cards }) {
  const box = form.elements.match;
  const pattern = patternOf(box.value);
  box.setCustomValidity(pattern ? "" : gettext("This is not a regular expression."));
  box.classList.toggle("is-invalid", !pattern);
  if (!pattern) return;
  let hidden = 0;
  for (const card of cards) {
    card.element.hidden = !pattern.test(card.name);
    hidden += card.element.hidden;
  }
  for (const section of board.querySelectorAll("[data-section]")) section.hidden = !section.querySelector("[data-chart]:not([hidden])");
  form.querySelector("[data-hidden-count]").textContent = hidden ? interpolate(ngettext("%s chart hidden", "%s charts hidden", hidden), [hidden]) : "";
}

function patternOf(text) {
  try {
    return new RegExp(text, "i");
  } catch {
    return null;
  }
}
