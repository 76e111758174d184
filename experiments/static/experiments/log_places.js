// Places in a log: the bar beside it that spans the whole file, lines by their number, times, links to a line.
import { throttled } from "./throttle.js";

const TRACK_PAUSE_MS = 100;
const LINK = /^#L(\d+)$/;

export function attachPlaces(view) {
  attachTrack(view);
  attachLines(view);
  attachTimes(view);
}

function attachTrack({ log, lines, goToEnd, stay }) {
  const track = log.querySelector("[data-log-track]");
  const most = Number(track.max);
  let held = false;
  const go = throttled(async () => {
    if (Number(track.value) === most) return void (await goToEnd());
    stay();
    await lines.show({ at: Math.floor((track.value / most) * lines.size) });
  }, TRACK_PAUSE_MS);
  const show = () => {
    const { frame, start, end, size } = lines;
    track.hidden = start === 0 && end >= size && frame.scrollHeight <= frame.clientHeight;
    const inside = frame.scrollTop / Math.max(1, frame.scrollHeight - frame.clientHeight);
    if (!held) track.value = size ? ((start + (end - start) * inside) / size) * most : most;
  };
  track.addEventListener("input", go);
  track.addEventListener("pointerdown", () => { held = true; });
  track.addEventListener("change", () => { held = false; });
  lines.frame.addEventListener("scroll", show);
  new ResizeObserver(show).observe(lines.frame);
}

function attachLines({ log, lines, stay }) {
  const go = async (number) => {
    stay();
    await lines.show({ line: number });
  };
  const goToLink = () => {
    const link = LINK.exec(location.hash);
    if (link) go(link[1]);
    return Boolean(link);
  };
  log.querySelector("[data-log-line]").addEventListener("submit", (event) => {
    event.preventDefault();
    const number = event.target.elements.line.value;
    if (!number) return;
    history.replaceState(history.state, "", `#L${number}`);
    go(number);
  });
  // the number in front of a line is its link
  lines.frame.addEventListener("click", (event) => {
    const line = event.target.closest("[data-lines] > div");
    if (!line || !lines.number || event.clientX > line.getBoundingClientRect().left + parseFloat(getComputedStyle(line).paddingLeft)) return;
    history.replaceState(history.state, "", `#L${lines.number + [...lines.frame.children].indexOf(line)}`);
    stay();
    lines.mark(line);
  });
  window.addEventListener("hashchange", () => log.isConnected && goToLink());
  if (!goToLink() && lines.size > 0 && !lines.number) numberLines(lines);
}

/** A long log is shown before its lines are counted. */
async function numberLines(lines) {
  const page = await lines.ask({ number: lines.start, lines: 1 });
  if (page?.start === lines.start) lines.changed(page.number);
}

function attachTimes({ log, lines, stay, say }) {
  const form = log.querySelector("[data-log-time]");
  if (!form) return;
  const { time } = form.elements;
  // in the reader's own time zone, as the field has it
  const local = (seconds) => new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 19);
  time.value = local(Number(time.dataset.from || Date.now() / 1000));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const at = new Date(time.value).getTime() / 1000;
    if (Number.isNaN(at)) return say(gettext("Give a date and a time."));
    stay();
    return lines.show({ time: at });
  });
}
