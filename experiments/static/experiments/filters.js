// The form above a table. Its search box survives swaps, so that typing goes on; when it is not in use, it shows what
// the table shows.
export function attachFilters(form) {
  const box = form.querySelector("[data-filter-box]");
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
}
