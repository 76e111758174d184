// Finds the parts of a page by their data- attributes, at load and in whatever htmx brings later. What only some pages
// have is loaded by those pages alone.
import { attachCopyButtons } from "./copy.js";
import { attachFolds } from "./folds.js";
import { attachKeys } from "./keys.js";
import { attachLateAnswers } from "./late_answers.js";
import { startListening } from "./live.js";
import { keepTicked } from "./ticked.js";
import { attachTimes, tellTimeZone } from "./times.js";
import { attachToasts } from "./toast.js";

const later = (module, name) => async (element) => (await module())[name](element);
const attachers = {
  "[data-run-table]": later(() => import("./run_table.js"), "attachRunTable"),
  "[data-filters]": later(() => import("./filters.js"), "attachFilters"),
  "[data-selection]": later(() => import("./selection.js"), "attachSelection"),
  "[data-field-picker]": later(() => import("./field_picker.js"), "attachFieldPicker"),
  "[data-charts]": later(() => import("./charts.js"), "attachCharts"),
  "[data-compare]": later(() => import("./compare.js"), "attachCompare"),
  "[data-tree-search]": later(() => import("./tree_search.js"), "attachTreeSearch"),
  "[data-relations]": later(() => import("./relations.js"), "attachRelations"),
  "[data-auto-submit]": (form) => form.addEventListener("change", (event) => event.target.matches("select") && form.requestSubmit()),
  "[data-log]": later(() => import("./log_view.js"), "attachLog"),
  "[data-live-kinds]": later(() => import("./live_parts.js"), "attachLiveParts"),
  "[data-fold], [data-section]": attachFolds,
  "[data-lightbox]": later(() => import("./lightbox.js"), "attachLightbox"),
  "[data-scroll]": later(() => import("./scroll_place.js"), "attachScrollPlace"),
  "[data-centred]": later(() => import("./centred.js"), "attachCentred"),
};
const attached = new WeakSet();

/** Resolves when every part is attached. */
function attach(root) {
  const parts = [];
  for (const [selector, attachTo] of Object.entries(attachers)) {
    const found = [...root.querySelectorAll(selector), ...(root.matches?.(selector) ? [root] : [])];
    for (const element of found) {
      if (attached.has(element)) continue;
      attached.add(element);
      parts.push(attachTo(element));
    }
  }
  attachTimes(root);
  return Promise.allSettled(parts);
}

tellTimeZone();
keepTicked();
attachCopyButtons(document);
attachKeys(document);
attachLateAnswers(document);
attachToasts(document);
attach(document.documentElement).then(startListening);
document.addEventListener("htmx:load", (event) => attach(event.detail.elt));
