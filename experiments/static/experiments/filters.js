// The form above a table. Its search box survives swaps, so that typing goes on; when it is not in use, it shows what
// the table shows. A box for filters offers what may come next, and says what is wrong.
import { attachOffers } from "./filter_offers.js";

export function attachFilters(form) {
  const box = form.querySelector("[data-filter-box]");
  if (!box) return; // the form was replaced while this script came
  const show = () => {
    if (document.activeElement !== box) box.value = form.dataset.text;
  };
  setTimeout(show); // after htmx has put the old box back into its place
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
