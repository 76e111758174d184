// The keyboard. Nothing but the palette comes while somebody types in a field.
const SECOND_KEY_MS = 1200;

export function attachKeys(page) {
  let waitsForSecond = 0;
  const goTo = async () => (await import("./palette.js")).openPalette();
  page.addEventListener("click", (event) => event.target.closest("[data-palette-open]") && goTo());
  page.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      return void goTo();
    }
    const typing = event.target.closest("input:not([type=checkbox], [type=range]), select, textarea, [contenteditable]");
    if (typing) {
      if (event.key === "Escape") typing.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || page.querySelector("dialog[open]")) return;
    const isSecond = Date.now() - waitsForSecond < SECOND_KEY_MS;
    waitsForSecond = event.key === "g" ? Date.now() : 0;
    const action = isSecond ? afterG[event.key] : actions[event.key];
    if (action && action(page, event) !== false) event.preventDefault();
  });
}

const follow = (page, selector) => {
  const link = page.querySelector(selector);
  if (!link) return false;
  link.click();
  return true;
};

const afterG = { r: (page) => follow(page, '[data-go="r"]'), a: (page) => follow(page, '[data-go="a"]') };

const actions = {
  "/": (page) => {
    const box = page.querySelector("[data-filter-box]");
    if (!box) return false;
    box.focus();
    box.select();
    return true;
  },
  j: (page) => mark(page, 1),
  k: (page) => mark(page, -1),
  Enter: (page, event) => (event.target.closest("a, button, summary, input") ? false : follow(page, "tr.is-marked [data-open]")),
  c: (page) => (page.querySelector("[data-selection]:not([hidden])") ? follow(page, "[data-compare-ticked]") : false),
  x: (page) => follow(page, "tr.is-marked [data-tick]"),
  "[": (page) => follow(page, "[data-newer]"),
  "]": (page) => follow(page, "[data-older]"),
  "?": (page) => page.querySelector("[data-keys]").showModal(),
};

function mark(page, distance) {
  const rows = [...page.querySelectorAll("[data-rows] tr")];
  if (!rows.length) return false;
  const current = rows.findIndex((row) => row.classList.contains("is-marked"));
  const next = current < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, current + distance));
  rows[current]?.classList.remove("is-marked");
  rows[next].classList.add("is-marked");
  rows[next].scrollIntoView({ block: "nearest" });
  rows[next].querySelector("[data-open]")?.focus({ preventScroll: true });
  return true;
}
