// The tools above the charts hold for all of them, and stand in the URL: a pasted address gives the same picture.
const REDRAW_PAUSE_MS = 60;

export function attachTools(board, cards) {
  const form = board.querySelector("[data-chart-tools]");
  readUrl(form);
  apply(form, board, cards);
  let timer = null;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      apply(form, board, cards);
      writeUrl(form);
    }, REDRAW_PAUSE_MS);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

function readUrl(form) {
  const query = new URLSearchParams(location.search);
  form.elements.match.value = query.get("match") ?? "";
  form.elements.x.value = query.get("x") === "time" ? "time" : "step";
  form.elements.smooth.value = Number(query.get("smooth")) || 0;
  form.elements.log.checked = query.get("log") === "1";
}

function writeUrl(form) {
  const query = new URLSearchParams(location.search);
  const chosen = {
    match: form.elements.match.value,
    x: form.elements.x.value === "time" ? "time" : "",
    smooth: Number(form.elements.smooth.value) ? form.elements.smooth.value : "",
    log: form.elements.log.checked ? "1" : "",
  };
  for (const [name, value] of Object.entries(chosen)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(history.state, "", query.size ? `?${query}` : location.pathname);
}

function apply(form, board, cards) {
  const settings = { x: form.elements.x.value, log: form.elements.log.checked, smooth: Number(form.elements.smooth.value) };
  form.querySelector("[data-smooth-value]").textContent = settings.smooth ? settings.smooth.toFixed(2) : "0";
  showMatching(form, board, cards);
  for (const card of cards) {
    if (JSON.stringify(card.settings) === JSON.stringify(settings)) continue;
    card.settings = settings;
    card.redraw();
  }
}

function showMatching(form, board, cards) {
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
