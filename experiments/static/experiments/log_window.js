// The lines of a log that the page holds: a part of a file of any size, which grows at both ends as the reader scrolls
// and lets go of what is far away.
import { ansiNodes, hasEscapes } from "./ansi.js";
import { noteProgress, foldProgress } from "./log_progress.js";

const PAGE_LINES = 500;
const MAX_LINES = 4000;
const NEAR_PX = 600;
/** Further behind than that, the newest lines are a better start than all those in between. */
const MAX_CATCH_UP_BYTES = 2 << 20;

export class LogWindow {
  /** ask: gives a part of the file for a question, or null. blocks: the parts that are here, one behind the other. */
  constructor(log, ask) {
    const { start, end, number } = log.dataset;
    this.frame = log.querySelector("[data-lines]");
    this.ask = (question) => ask({ lines: PAGE_LINES, ...question });
    this.size = Number(end);
    for (const line of this.frame.children) dress(line);
    this.blocks = [{ start: Number(start), end: Number(end), count: this.frame.childElementCount }];
    this.changed(number ? Number(number) : null);
  }

  get start() {
    return this.blocks[0].start;
  }

  get end() {
    return this.blocks.at(-1).end;
  }

  get distanceToEnd() {
    return this.frame.scrollHeight - this.frame.scrollTop - this.frame.clientHeight;
  }

  /** Show the part that the question names instead; the line that was asked for is in view and marked. */
  async show(question) {
    this.isMoving = true; // what scrolls until the answer is there is not the reader
    const page = await this.ask(question);
    this.isMoving = false;
    if (!page) return;
    this.frame.replaceChildren(linesOf(page));
    this.blocks = [blockOf(page)];
    this.size = Math.max(this.size, page.size, page.end); // what was told meanwhile may be more
    this.changed(page.number);
    const target = this.frame.children[page.target ?? -1];
    if (target) this.mark(target);
    else this.frame.scrollTop = this.frame.scrollHeight;
  }

  mark(line) {
    for (const marked of this.frame.querySelectorAll(".is-target")) marked.classList.remove("is-target");
    line.classList.add("is-target");
    line.scrollIntoView({ block: "center" });
  }

  async older() {
    const page = await this.ask({ before: this.start });
    if (!page || page.end !== this.start) return;
    this.keepingPlace(() => this.frame.prepend(linesOf(page)));
    this.blocks.unshift(blockOf(page));
    while (this.held - this.blocks.at(-1).count >= MAX_LINES) {
      for (let left = this.blocks.pop().count; left > 0; left -= 1) this.frame.lastElementChild.remove();
    }
    this.changed(page.number ?? (this.number && this.number - page.lines.length));
  }

  /** follows: go on up to the end, and let older lines go. */
  async newer({ follows }) {
    do {
      if (follows && this.size - this.end > MAX_CATCH_UP_BYTES) return void (await this.show({}));
      const page = await this.ask({ after: this.end, until: this.size });
      if (!page || page.start !== this.end || page.end === page.start) return;
      this.frame.append(linesOf(page));
      this.blocks.push(blockOf(page));
      this.keepingPlace(() => this.letGoOfOldest());
      this.changed(this.number);
    } while (follows && this.end < this.size);
  }

  letGoOfOldest() {
    while (this.held - this.blocks[0].count >= MAX_LINES) {
      const { count } = this.blocks.shift();
      for (let left = count; left > 0; left -= 1) this.frame.firstElementChild.remove();
      if (this.number) this.number += count;
    }
  }

  /** Load on where the reader is near an edge of what is here. */
  async fill() {
    if (this.frame.scrollTop < NEAR_PX && this.start > 0) await this.older();
    else if (this.distanceToEnd < NEAR_PX && this.end < this.size) await this.newer({ follows: false });
  }

  get held() {
    return this.frame.childElementCount;
  }

  /** Change what is above the reader's line, which stays where it is on the screen. */
  keepingPlace(change) {
    const below = this.frame.scrollHeight - this.frame.scrollTop;
    change();
    this.frame.scrollTop = this.frame.scrollHeight - below;
  }

  /** number: of the first line here; null as long as it is not known. */
  changed(number) {
    this.number = number;
    this.frame.classList.toggle("is-numbered", Boolean(number));
    if (number) this.frame.style.counterReset = `line ${number - 1}`;
    foldProgress(this.frame);
  }
}

function blockOf(page) {
  return { start: page.start, end: page.end, count: page.lines.length };
}

function linesOf(page) {
  const lines = document.createDocumentFragment();
  for (const text of page.lines) {
    const line = document.createElement("div");
    line.textContent = text;
    dress(line);
    lines.append(line);
  }
  return lines;
}

function dress(line) {
  noteProgress(line);
  if (hasEscapes(line.textContent)) line.replaceChildren(...ansiNodes(line.textContent));
}
