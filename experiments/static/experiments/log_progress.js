// Progress bars: of a bar that was written again and again, the last state is shown, and the others on demand.

/** "Epoch 3:  45%|████" and "Epoch 3: 45/100 [00:12<…" behind the time of day; what stands before it tells the bar. */
const BAR = /^(?:\d\d:\d\d:\d\d \| )?(.*?)(?:\b\d{1,3}(?:\.\d+)?%\s*\||\b\d+\/\d+\s*\[)/;
/** Escape sequences that colour the bar are not a part of its name. */
const ESCAPES = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** Note whose state a line is. */
export function noteProgress(line) {
  line.bar = BAR.exec(line.textContent.replace(ESCAPES, ""))?.[1].trim();
}

/** Of neighbouring states of one bar the last is shown, with a button that says how many there were before it. */
export function foldProgress(frame) {
  let states = [];
  for (const line of [...frame.children]) {
    const goesOn = line.bar !== undefined && line.bar === states.at(-1)?.bar;
    if (!goesOn) fold(states);
    if (goesOn) states.push(line);
    else states = line.bar === undefined ? [] : [line];
  }
  fold(states);
}

function fold(states) {
  const last = states.at(-1);
  if (!last || Number(last.dataset.states ?? 1) === states.length) return;
  const isOpen = states.some((line) => line.classList.contains("is-unfolded"));
  for (const line of states) {
    line.querySelector("button")?.remove();
    delete line.dataset.states;
    line.classList.toggle("is-passed", line !== last);
    line.classList.toggle("is-unfolded", isOpen);
  }
  last.dataset.states = states.length;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "log-states";
  button.textContent = `⟲ ${states.length - 1}`;
  button.title = interpolate(gettext("%(n)s earlier states of this progress bar"), { n: states.length - 1 }, true);
  button.addEventListener("click", () => states.forEach((line) => line.classList.toggle("is-unfolded")));
  last.append(button);
}
