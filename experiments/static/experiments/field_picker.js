// The column picker beside the table: it stays open while columns come and go, and is searched on the server.
import { throttled } from "./throttle.js";

const PAUSE_MS = 150;

export function attachFieldPicker(picker) {
  const search = picker.querySelector("[data-field-search]");
  let stale = false; // its links were made for the table before
  let queued = ""; // what was pressed meanwhile, by its id
  const fill = throttled(async () => {
    if (!picker.open) return;
    const query = new URLSearchParams(location.search);
    query.set("search", search.value);
    await htmx.ajax("GET", `${picker.dataset.url}?${query}`, { target: picker.querySelector("[data-fields]"), swap: "innerHTML" });
    stale = false;
    document.getElementById(queued)?.click();
    queued = "";
  }, PAUSE_MS);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-pick-fields]")) return;
    if (picker.open) return picker.close();
    picker.show();
    search.focus();
    fill();
  });
  const wait = (event) => {
    const link = event.target.closest("a");
    if (!stale || !link) return;
    event.preventDefault();
    event.stopPropagation();
    queued = link.id;
  };
  picker.addEventListener("click", wait, true);
  picker.addEventListener("htmx:beforeRequest", (event) => (stale = event.target.matches("a")));
  picker.addEventListener("htmx:afterRequest", (event) => event.detail.failed && (stale = false));
  search.addEventListener("input", fill);
  picker.addEventListener("keydown", (event) => event.key === "Escape" && picker.close());
  // the table is another one: so is what can be added and taken away
  document.addEventListener("htmx:afterSettle", (event) => event.detail.target.id === "runs" && fill());
  picker.addEventListener("close", () => document.querySelector("[data-pick-fields]")?.focus());
}
