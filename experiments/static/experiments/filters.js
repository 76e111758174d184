// The form above a table. Its search box survives swaps, so that typing goes on; when it is not in use, it shows what
// the table shows. A box for filters offers what may come next, and says what is wrong.
import { attachOffers } from "./filter_offers.js";

const ASK_AFTER_MS = 250; // as the form itself waits, see its hx-trigger

export function attachFilters(form) {
  const box = form.querySelector("[data-filter-box]");
  if (!box) return; // the form was replaced while this script came
  setTimeout(() => show(form, box)); // after htmx has put the old box back into its place
  form.addEventListener("click", (event) => {
    if (event.target.closest("a")) box.value = form.dataset.text; // going on by a link gives up what was only typed
  });
  // the URL says nothing about choices left at their default
  form.addEventListener("htmx:configRequest", (event) => {
    for (const [name, value] of Object.entries(event.detail.parameters)) if (!value) delete event.detail.parameters[name];
  });
  form.querySelector('[name="project"]')?.addEventListener("change", () => {
    const experiment = form.querySelector('[name="experiment"]');
    if (experiment) experiment.value = "";
  });
  if (form.querySelector("[data-offers]")) attachOffers(form.querySelector("[data-offers]"), box);
  const mistake = form.querySelector("[data-filter-mistake]");
  if (!mistake) return;
  form.addEventListener("runicorn:mistake", (event) => {
    mistake.textContent = event.detail.text;
    mistake.hidden = false;
    box.setAttribute("aria-invalid", "true");
  });
  box.addEventListener("input", () => {
    mistake.hidden = true;
    box.removeAttribute("aria-invalid");
  });
}

// What the table shows, unless somebody types. Words it does not know yet are asked for once more: the form that was about
// to ask may have been replaced by rows that came in, or the scripts were not there when they were typed.
function show(form, box) {
  const text = form.dataset.text;
  const before = box.dataset.shown ?? text;
  box.dataset.shown = text;
  if (before !== text && document.activeElement !== box) box.value = text;
  if (box.value === text) return;
  const typed = box.value;
  setTimeout(() => form.isConnected && box.value === typed && form.requestSubmit(), ASK_AFTER_MS);
}
