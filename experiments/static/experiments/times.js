// Relative times and growing durations go on by themselves; exact times are shown in the reader's time zone.
import { ago, duration, exactTime, now } from "./format.js";

const DURATIONS_EVERY_MS = 1000;
const AGES_EVERY_MS = 15000;

export function attachTimes(root) {
  for (const element of root.querySelectorAll("[data-ago]")) element.title = exactTime(Number(element.dataset.ago));
  for (const element of root.querySelectorAll("[data-exact]")) {
    element.textContent = exactTime(Number(element.dataset.exact));
    element.title = element.dateTime;
  }
}

/** The server reads moments in filters in the reader's time zone. */
export function tellTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `runicorn_zone=${zone};path=/;max-age=31536000;samesite=lax`;
}

function rewrite(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-since]")) rewrite(element, duration(now() - Number(element.dataset.since)));
}, DURATIONS_EVERY_MS);

setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-ago]")) rewrite(element, ago(Number(element.dataset.ago)));
}, AGES_EVERY_MS);
