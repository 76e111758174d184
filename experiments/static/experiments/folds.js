// What the reader folded stays folded: over live changes of the part, and for chart sections over visits.
export function attachFolds(details) {
  const key = `runicorn-fold:${details.dataset.section === undefined ? `${location.pathname}:${details.dataset.fold}` : `section:${details.dataset.section}`}`;
  const storage = details.dataset.section === undefined ? "sessionStorage" : "localStorage";
  const remembered = read(storage, key);
  if (remembered) details.open = remembered === "open";
  details.addEventListener("toggle", () => write(storage, key, details.open ? "open" : "folded"));
}

function read(storage, key) {
  try {
    return window[storage].getItem(key);
  } catch {
    return null; // storage is forbidden: everything is as the server sent it
  }
}

function write(storage, key, value) {
  try {
    window[storage].setItem(key, value);
  } catch {
    // full or forbidden: the fold holds for this page only
  }
}
