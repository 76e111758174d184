// The runs that are ticked in the table, by their identities. They outlive sorting, filtering, paging and other pages.
const KEY = "runicorn-ticked";
export const ticked = new Set(kept());

/** Remember them, and let the top bar lead to their comparison. */
export function keepTicked() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...ticked]));
  } catch {
    // storage is forbidden: the ticks hold for this page
  }
  const ids = [...ticked].map((identity) => encodeURIComponent(identity.split("/").at(-1)));
  for (const link of document.querySelectorAll("[data-compare-link]")) {
    link.href = ids.length ? `${link.dataset.compareLink}?runs=${ids.join(",")}` : link.dataset.compareLink;
    const count = link.querySelector("[data-compare-count]");
    if (!count) continue;
    count.hidden = !ids.length;
    count.textContent = ids.length;
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return []; // as above
  }
}
