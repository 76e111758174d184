// The ticked runs of the table: how many, and what is done to them.
import { keepTicked, ticked } from "./ticked.js";
import { post } from "./toast.js";

export function attachSelection(bar) {
  const table = bar.closest("[data-run-table]");
  const boxes = () => [...table.querySelectorAll("[data-tick]")];
  const show = () => {
    for (const box of boxes()) box.checked = ticked.has(box.value);
    const all = table.querySelector("[data-tick-all]");
    const shown = boxes();
    if (all) {
      all.checked = shown.length > 0 && shown.every((box) => box.checked);
      all.indeterminate = !all.checked && shown.some((box) => box.checked);
    }
    bar.hidden = !ticked.size;
    bar.querySelector("[data-count]").textContent = interpolate(ngettext("%s run chosen", "%s runs chosen", ticked.size), [ticked.size]);
    keepTicked();
  };
  const tick = (box) => ticked[box.checked ? "add" : "delete"](box.value);

  let from = null; // shift and a click tick everything in between
  table.addEventListener("click", (event) => {
    const box = event.target.closest("[data-tick]");
    if (!box) return;
    const shown = boxes();
    if (event.shiftKey && shown.includes(from)) {
      const [first, last] = [shown.indexOf(from), shown.indexOf(box)].sort((one, other) => one - other);
      for (const between of shown.slice(first, last + 1)) between.checked = box.checked;
      shown.slice(first, last + 1).forEach(tick);
    } else tick(box);
    from = box;
    show();
  });
  table.querySelector("[data-tick-all]")?.addEventListener("change", (event) => {
    for (const box of boxes()) {
      box.checked = event.target.checked;
      tick(box);
    }
    show();
  });
  table.addEventListener("htmx:load", show); // lines of a group came in
  bar.querySelector("[data-untick]").addEventListener("click", () => {
    ticked.clear();
    show();
  });
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    const tags = bar.querySelector("[data-tags]");
    const url = event.submitter.getAttribute("formaction");
    if (url.endsWith("tag") && !tags.value.trim()) return tags.focus();
    post(url, { run: [...ticked], add: tags.value });
    tags.value = "";
    if (url.endsWith("delete")) ticked.clear();
    return show();
  });
  show();
}
