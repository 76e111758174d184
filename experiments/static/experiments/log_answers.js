// What the viewer answers about a log file.
/** Asked again while the lines of a long file are being counted. */
const COUNTING_PAUSE_MS = 50;

/** A part of the file; null if it cannot be had, which the reader was told. */
export async function pageOf(view, question) {
  for (;;) {
    const page = await answer(view, view.log.dataset.pages, question);
    if (!page || page.lines) return page;
    view.say(interpolate(gettext("counting lines: %(share)s"), { share: `${Math.floor((100 * page.counted) / page.size)}%` }, true));
    await new Promise((resolve) => setTimeout(resolve, COUNTING_PAUSE_MS));
  }
}

/** What the viewer answers about this log file; null if it does not, which the reader was told. */
export async function answer(view, url, question) {
  const address = new URLSearchParams(view.log.dataset.address);
  address.set("file", view.log.dataset.file);
  for (const [name, value] of Object.entries(question)) address.set(name, value);
  try {
    const response = await fetch(`${url}?${address}`, { headers: { Accept: "application/json" } });
    const body = await response.json();
    view.say(response.ok ? "" : body.detail);
    return response.ok ? body : null;
  } catch {
    return null; // no connection: the top bar says so, and what is here stays
  }
}
