// The command palette: pages, what is on this page, and what the viewer finds by a few words.
import { throttled } from "./throttle.js";

const PAUSE_MS = 120;
const MAX_CHARTS = 8;
let opened = null;

export function openPalette() {
  opened ??= attach(document.querySelector("[data-palette]"));
  opened();
}

function attach(dialog) {
  const box = dialog.querySelector("[data-palette-text]");
  const list = dialog.querySelector("[data-palette-offers]");
  const pages = dialog.querySelector("[data-palette-pages]");
  let chosen = 0;
  let found = [];

  const options = () => [...list.querySelectorAll("[role=option]")];
  const choose = (place) => {
    const all = options();
    chosen = all.length ? (place + all.length) % all.length : 0;
    all.forEach((one, at) => one.setAttribute("aria-selected", String(at === chosen)));
    all[chosen]?.scrollIntoView({ block: "nearest" });
    if (all[chosen]) box.setAttribute("aria-activedescendant", all[chosen].id);
    else box.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (offer) => words.every((word) => offer.label.toLowerCase().includes(word));
    const groups = [
      ...found,
      { title: pages.dataset.titleHere, offers: tabsHere().filter(fits) },
      { title: pages.dataset.titleCharts, offers: words.length ? chartsHere().filter(fits).slice(0, MAX_CHARTS) : [] },
      { title: pages.dataset.titlePages, offers: linksIn(pages.content).filter(fits) },
    ].filter((group) => group.offers.length);
    list.replaceChildren(...groups.map(groupElement));
    options().forEach((one, place) => (one.id = `palette-offer-${place}`));
    dialog.querySelector("[data-palette-none]").hidden = groups.length > 0;
    choose(0);
  };
  const ask = throttled(async () => {
    const text = box.value.trim();
    const answers = text ? await Promise.all(dialog.dataset.sources.split(" ").map((source) => offersOf(source, text))) : [];
    if (text !== box.value.trim()) return; // asked again meanwhile
    found = answers.flat();
    show();
  }, PAUSE_MS);

  box.addEventListener("input", () => {
    if (!box.value.trim()) found = [];
    show();
    ask();
  });
  box.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) choose(chosen + move);
    else if (event.key === "Enter") options()[chosen]?.click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => event.target.closest("[role=option]") && dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
  return () => {
    if (dialog.open) return;
    box.value = "";
    found = [];
    show();
    dialog.showModal();
    box.focus();
  };
}

async function offersOf(source, text) {
  const answer = await fetch(`${source}?${new URLSearchParams({ q: text })}`);
  return answer.ok ? answer.json() : [];
}

function linksIn(root, selector = "a") {
  return [...root.querySelectorAll(selector)].map((link) => ({ label: link.textContent.trim(), href: link.getAttribute("href") }));
}

const tabsHere = () => linksIn(document, ".tabs a:not([aria-current])");

function chartsHere() {
  return [...document.querySelectorAll("[data-chart]")].map((card) => ({ label: card.dataset.metric, card }));
}

function groupElement({ title, offers }) {
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", title);
  const head = document.createElement("p");
  head.textContent = title;
  group.append(head, ...offers.map(option));
  return group;
}

function option({ label, hint, href, card }) {
  const one = document.createElement(href ? "a" : "button");
  if (href) one.href = href;
  else one.type = "button";
  one.tabIndex = -1;
  one.setAttribute("role", "option");
  const name = document.createElement("span");
  name.textContent = label;
  one.append(name);
  if (hint) one.append(Object.assign(document.createElement("small"), { textContent: hint }));
  if (card) one.addEventListener("click", () => reveal(card));
  return one;
}

function reveal(card) {
  const section = card.closest("details");
  if (section) section.open = true;
  card.scrollIntoView({ block: "center" });
}
