// The open table of runs: values change in place, new runs come in at the top or wait behind a button.
import { listen } from "./live.js";
import { attachGroups } from "./open_groups.js";
import { attachTimes } from "./times.js";
import { attachWidths } from "./table_widths.js";
import { throttled } from "./throttle.js";

const PAUSE_MS = 1000;
/** What changed and is not shown yet. It outlives the table: a change may come while the table is being replaced. */
const waiting = { keys: new Set(), any: false, changedByUs: false };
let current = null;

document.addEventListener("runicorn:changed", (event) => {
  waiting.changedByUs = true;
  if (current?.isConnected) showOurChange(event);
});

/** With the event, so that the answer finds its place even if the table was replaced meanwhile. */
function showOurChange(event) {
  waiting.changedByUs = false;
  reload(current, event);
}

export function attachRunTable(table) {
  current = table;
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
      const isOfRun = change.kind === "run" || change.kind === "removed";
      const row = rowOf(table, change);
      // points change what columns of metrics show, and bring no run in
      if (!isOfRun && !(change.kind === "points" && row && table.querySelector('[data-column^="metrics."]'))) continue;
      if (row) waiting.keys.add(row.dataset.key);
      waiting.any ||= isOfRun; // without a row: the run may be new
      refresh();
    }
  });
  table.querySelector("[data-new-runs]")?.addEventListener("click", (event) => toFirstPage(table, event));
  attachWidths(table);
  table.addEventListener("click", (event) => sortBySecond(table, event), true); // before htmx, which listens to the link
  attachGroups(table);
  if (waiting.changedByUs) showOurChange(new Event("runicorn:changed"));
  if (waiting.any) refresh();
}

/** Shift and a click on a head sorts by it where the keys before leave runs equal. */
function sortBySecond(table, event) {
  const name = event.target.closest("[data-sort]")?.dataset.sort;
  if (!name || !event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  const query = new URLSearchParams(location.search);
  const keys = (query.get("sort") ?? "-created").split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/);
  const place = keys.findIndex((key) => key.replace(/^-/, "") === name);
  if (place < 0) keys.push(`-${name}`);
  else keys[place] = keys[place].startsWith("-") ? name : `-${name}`;
  query.set("sort", keys.slice(-3).join(","));
  query.delete("page");
  htmx.ajax("GET", `${location.pathname}?${query}`, { target: table, swap: "outerHTML show:none", event }).then(() => history.pushState(null, "", `?${query}`));
}

/** A group's line shows what is inside of it, or hides it again. */
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

/** New runs come in by themselves only where the reader would see them come and does nothing else there; into an empty
 * table always, but while offers are open. */
function bringIn(table, newer) {
  if (!table.querySelector(".runs-table, [aria-expanded=true]")) return reload(table);
  const scrolled = (table.querySelector("[data-scroll]")?.scrollTop ?? 0) > 0;
  const busy = isBusyIn(table, document.activeElement) || !getSelection().isCollapsed || table.querySelector(".is-marked, [data-tick]:checked, [aria-expanded=true]");
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

function reload(table, event) {
  return htmx.ajax("GET", location.pathname + location.search, { target: table, swap: "outerHTML", event });
}

function toFirstPage(table, event) {
  const query = new URLSearchParams(location.search);
  query.delete("page");
  query.delete("sort");
  const url = query.size ? `${location.pathname}?${query}` : location.pathname;
  history.pushState(null, "", url);
  htmx.ajax("GET", url, { target: table, swap: "outerHTML", event });
}
