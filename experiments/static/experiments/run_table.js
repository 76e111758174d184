// The open table of runs: values change in place, new runs come in at the top or wait behind a button.
import { listen } from "./live.js";
import { attachTimes } from "./times.js";
import { throttled } from "./throttle.js";

const PAUSE_MS = 1000;
/** What changed and is not shown yet. It outlives the table: a change may come while the table is being replaced. */
const waiting = { keys: new Set(), any: false };

export function attachRunTable(table) {
  const refresh = throttled(async () => {
    if (!table.isConnected) return stop();
    const keys = [...waiting.keys];
    waiting.keys.clear();
    waiting.any = false;
    const { rows, newer } = await fetchRows(table, keys);
    const gone = keys.filter((key) => !replaceRow(table, key, rows));
    if (gone.length || newer) await bringIn(table, newer);
  }, PAUSE_MS);

  const stop = listen("*", ({ changes, reset }) => {
    if (reset) return reload(table);
    for (const change of changes) {
      if (change.kind !== "run" && change.kind !== "removed") continue;
      const row = rowOf(table, change);
      if (row) waiting.keys.add(row.dataset.key);
      waiting.any = true; // without a row: the run may be new
      refresh();
    }
  });
  table.querySelector("[data-new-runs]")?.addEventListener("click", (event) => toFirstPage(table, event));
  if (waiting.any) refresh();
}

function rowOf(table, change) {
  return [...table.querySelectorAll("tr[data-key]")].find((row) => row.dataset.path === change.path && row.dataset.run === change.run);
}

async function fetchRows(table, keys) {
  const query = new URLSearchParams({ keys: keys.join(","), newest: table.dataset.newest });
  const answer = await fetch(`${table.dataset.rowsUrl}&${query}`);
  if (!answer.ok) return { rows: new Map(), newer: 0 };
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const rows = new Map([...holder.content.querySelectorAll("tr")].map((row) => [row.dataset.key, row]));
  return { rows, newer: Number(answer.headers.get("X-Newer-Runs")) };
}

/** Put the fresh cells into the row, those that differ with a highlight. False if the run is not there any more. */
function replaceRow(table, key, rows) {
  const fresh = rows.get(key);
  if (!fresh) return false;
  const row = table.querySelector(`tr[data-key="${key}"]`);
  if (!row) return true;
  attachTimes(fresh);
  [...fresh.children].forEach((cell, position) => {
    const shown = row.children[position];
    if (!shown || shown.textContent.trim() === cell.textContent.trim()) return;
    shown.replaceWith(cell.cloneNode(true));
    if (!cell.querySelector("[data-since], [data-ago]")) row.children[position].classList.add("is-changed");
  });
  return true;
}

/** New runs come in by themselves only where the reader would see them come and does nothing else there. */
function bringIn(table, newer) {
  const scrolled = (table.querySelector("[data-scroll]")?.scrollTop ?? 0) > 0;
  const busy = isBusyIn(table, document.activeElement) || !getSelection().isCollapsed || table.querySelector(".is-marked");
  if (table.dataset.takesNew && table.dataset.page === "1" && !scrolled && !busy) return reload(table);
  const button = table.querySelector("[data-new-runs]");
  if (!button || !newer) return undefined;
  button.textContent = interpolate(ngettext("%s new run", "%s new runs", newer), [newer]);
  button.hidden = false;
  return undefined;
}

/** Links of the head and the foot keep the focus through a reload, by their ids. */
function isBusyIn(table, active) {
  return table.contains(active) && !(active.id && active.matches("a"));
}

function reload(table) {
  return htmx.ajax("GET", location.pathname + location.search, { target: table, swap: "outerHTML" });
}

function toFirstPage(table, event) {
  const query = new URLSearchParams(location.search);
  query.delete("page");
  query.delete("sort");
  const url = query.size ? `${location.pathname}?${query}` : location.pathname;
  history.pushState(null, "", url);
  htmx.ajax("GET", url, { target: table, swap: "outerHTML", event });
}
