// A part of the page may be replaced while another answer for it is on its way: rows come in while the reader sorts.

/**
 * An answer whose place is gone: what the reader asked for goes where that part stands now, what the page fetched by
 * itself is dropped. htmx would put either, and the search box that outlives swaps, into the part that is gone.
 */
export function attachLateAnswers(page) {
  page.addEventListener("htmx:beforeRequest", (sent) => {
    const { target, xhr, requestConfig } = sent.detail;
    const event = requestConfig.triggeringEvent;
    const isAsked = event && event.type !== "live";
    const place = ({ detail }) => {
      if (detail.xhr !== xhr || target.isConnected) return;
      const now = isAsked && target.id ? document.getElementById(target.id) : null;
      if (now) detail.target = now;
      else detail.shouldSwap = false;
    };
    target.addEventListener("htmx:beforeSwap", place);
    xhr.addEventListener("loadend", () => target.removeEventListener("htmx:beforeSwap", place));
  });
}
