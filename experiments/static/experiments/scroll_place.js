// The table of runs scrolls inside the page: browsers do not bring its place back, so this does, on Back and on reload.
const KEY = "runicorn-runs-place";

export function attachScrollPlace(frame) {
  const [arrival] = performance.getEntriesByType("navigation");
  const place = arrival.type === "back_forward" || arrival.type === "reload" ? kept() : null;
  if (place?.url === location.href) frame.scrollTop = place.top;
  addEventListener("pagehide", () => frame.isConnected && keep({ url: location.href, top: frame.scrollTop }));
}

function kept() {
  try {
    const place = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY); // once: a table that comes later begins at its top
    return place;
  } catch {
    return null; // storage is forbidden
  }
}

function keep(place) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(place));
  } catch {
    // the table begins at its top
  }
}
