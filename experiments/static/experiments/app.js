// Finds the parts of a page by their data- attributes, at load and in whatever htmx brings later.
import { attachCentred } from "./centred.js";
import { attachCharts } from "./charts.js";
import { attachCopyButtons } from "./copy.js";
import { attachFilters } from "./filters.js";
import { attachFolds } from "./folds.js";
import { attachKeys } from "./keys.js";
import { attachLateAnswers } from "./late_answers.js";
import { attachLightbox } from "./lightbox.js";
import { attachLiveParts } from "./live_parts.js";
import { attachLog } from "./log_view.js";
import { attachRunTable } from "./run_table.js";
import { attachScrollPlace } from "./scroll_place.js";
import { attachTimes } from "./times.js";

const attachers = {
  "[data-run-table]": attachRunTable,
  "[data-filters]": attachFilters,
  "[data-charts]": attachCharts,
  "[data-log]": attachLog,
  "[data-live-kinds]": attachLiveParts,
  "[data-fold], [data-section]": attachFolds,
  "[data-lightbox]": attachLightbox,
  "[data-scroll]": attachScrollPlace,
  "[data-centred]": attachCentred,
};
const attached = new WeakSet();

function attach(root) {
  for (const [selector, attachTo] of Object.entries(attachers)) {
    const found = [...root.querySelectorAll(selector), ...(root.matches?.(selector) ? [root] : [])];
    for (const element of found) {
      if (attached.has(element)) continue;
      attached.add(element);
      attachTo(element);
    }
  }
  attachTimes(root);
}

attachCopyButtons(document);
attachKeys(document);
attachLateAnswers(document);
attach(document.documentElement);
document.addEventListener("htmx:load", (event) => attach(event.detail.elt));
