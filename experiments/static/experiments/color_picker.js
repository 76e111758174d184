// A dialog that gives a run another colour; the page comes back with it, as it stood.
export function pickColor(dialog, { colorOf, color }) {
  const form = dialog.querySelector("form");
  form.elements.run.value = colorOf;
  form.elements.back.value = location.pathname + location.search;
  for (const choice of form.elements.color) choice.setAttribute("aria-pressed", choice.value === color);
  dialog.querySelector("[data-close]").onclick = () => dialog.close();
  dialog.showModal();
}
