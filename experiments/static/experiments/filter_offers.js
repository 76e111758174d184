// Completion in a filter box: what may stand at the cursor, from the server. A combobox as ARIA describes it.
import { throttled } from "./throttle.js";

const PAUSE_MS = 120;

export function attachOffers(frame, box) {
  if (box.offers === undefined) listen(frame, box);
  // the box outlives swaps, the list under it does not
  frame.append(box.offers);
}

function listen(frame, box) {
  const list = document.createElement("ul");
  Object.assign(list, { id: "filter-offers", className: "offers", role: "listbox", hidden: true });
  list.setAttribute("aria-label", gettext("What may come next"));
  box.offers = list;
  for (const [name, value] of Object.entries({ role: "combobox", "aria-controls": list.id, "aria-autocomplete": "list", "aria-expanded": "false" })) box.setAttribute(name, value);
  let begin = 0;
  let chosen = -1;

  const close = () => {
    list.hidden = true;
    chosen = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };
  /** Until the answer is there: what was typed meanwhile leaves out offers that do not hold it. */
  const narrow = () => {
    const word = box.value.slice(begin, box.selectionStart).toLowerCase();
    for (const one of [...list.children]) if (!one.textContent.toLowerCase().includes(word)) one.remove();
    chosen = -1;
  };
  const ask = throttled(async () => {
    const query = new URLSearchParams({ text: box.value, cursor: box.selectionStart });
    const answer = await fetch(`${frame.dataset.offers}?${query}`);
    if (!answer.ok || document.activeElement !== box) return;
    const offers = await answer.json();
    begin = offers.begin;
    const held = list.children[chosen]?.textContent;
    list.replaceChildren(...offers.texts.map(option));
    if (query.get("text") !== box.value) narrow();
    list.hidden = !list.children.length;
    box.setAttribute("aria-expanded", String(!list.hidden));
    chosen = -1;
    const place = [...list.children].findIndex((one) => one.textContent === held);
    if (place >= 0) choose(place);
  }, PAUSE_MS);
  const choose = (place) => {
    const options = [...list.children];
    if (!options.length) return;
    chosen = (place + options.length) % options.length;
    options.forEach((one, at) => one.setAttribute("aria-selected", String(at === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", options[chosen].id);
  };
  const take = (text) => {
    const rest = box.value.slice(box.selectionStart);
    const start = `${box.value.slice(0, begin)}${text}${rest.startsWith(" ") || text.endsWith("(") ? "" : " "}`;
    box.value = start + rest;
    box.setSelectionRange(start.length, start.length);
    close();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  box.addEventListener("input", () => {
    narrow();
    ask();
  });
  box.addEventListener("click", ask);
  box.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => {
    event.preventDefault(); // the box keeps the focus
    const one = event.target.closest("li");
    if (one) take(one.textContent);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && list.hidden) return void ask();
    if (list.hidden) return undefined;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) choose(chosen < 0 && move < 0 ? -1 : chosen + move);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(list.children[chosen].textContent);
    else if (event.key === "Escape") close();
    else return event.key === "Enter" ? close() : undefined;
    event.preventDefault();
    return event.stopPropagation();
  });
}

function option(text, place) {
  const one = document.createElement("li");
  Object.assign(one, { id: `filter-offer-${place}`, role: "option", textContent: text });
  one.setAttribute("aria-selected", "false");
  return one;
}
