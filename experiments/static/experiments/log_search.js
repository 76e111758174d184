// Searching the whole log: the lines where it is found, as a list that leads to them.
import { answer } from "./log_answers.js";

/** The search rests when it found so many more. */
const BATCH = 100;

export function attachSearch(view) {
  const { log, lines, stay } = view;
  const form = log.querySelector("[data-log-search]");
  const panel = log.querySelector("[data-log-found]");
  const list = panel.querySelector("[data-log-hits]");
  const more = panel.querySelector("[data-search-on]");
  const state = panel.querySelector("[data-log-found-state]");
  let search = null;

  /** A batch of hits, or the end of the file; each answer looks through a part of it. */
  async function goOn(mine) {
    more.hidden = true;
    const wanted = list.childElementCount + BATCH;
    while (mine === search && mine.from < mine.size && list.childElementCount < wanted) {
      const found = await answer(view, log.dataset.search, { ...mine.question, from: mine.from });
      if (mine !== search) return;
      if (!found) return void (state.textContent = "");
      list.append(...found.hits.map(entryOf));
      Object.assign(mine, { from: found.searched, size: found.size });
      tell(mine);
    }
    tell(mine);
    more.hidden = mine.from >= mine.size;
  }

  function tell({ from, size }) {
    const words = { n: list.childElementCount, share: `${size ? Math.floor((100 * from) / size) : 100}%` };
    state.textContent =
      from >= size
        ? interpolate(ngettext("%(n)s line", "%(n)s lines", words.n), words, true)
        : interpolate(ngettext("%(n)s line in the first %(share)s of the file", "%(n)s lines in the first %(share)s of the file", words.n), words, true);
  }

  function entryOf(hit) {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const number = document.createElement("span");
    number.className = "log-hit-number";
    number.textContent = hit.number ?? "";
    const mark = document.createElement("mark");
    mark.textContent = hit.found;
    button.append(number, hit.before, mark, hit.behind);
    button.addEventListener("click", () => open(entry, hit));
    entry.append(button);
    return entry;
  }

  function open(entry, hit) {
    list.querySelector(".is-open")?.classList.remove("is-open");
    entry.classList.add("is-open");
    entry.scrollIntoView({ block: "nearest" });
    stay();
    return lines.show({ at: hit.offset });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = Object.fromEntries(new FormData(form));
    if (!question.q) return close();
    if (search && JSON.stringify(question) === JSON.stringify(search.question)) return next();
    search = { question, from: 0, size: 1 };
    list.replaceChildren();
    panel.hidden = false;
    state.textContent = "";
    return goOn(search);
  });
  /** Enter again leads through what was found. */
  function next() {
    const following = list.querySelector(".is-open")?.nextElementSibling ?? list.firstElementChild;
    following?.querySelector("button").click();
  }
  function close() {
    search = null;
    panel.hidden = true;
  }
  more.addEventListener("click", () => goOn(search));
  panel.querySelector("[data-search-close]").addEventListener("click", close);
}
