// Several runs on one board: which are shown, how their lines look, and bands of groups. All of it stands in the URL.
import { attachBoard, liveBoard } from "./charts.js";

const FIELDS = ["group", "center", "spread"];
const COLORS = 12;

export function attachCompare(page) {
  const { runs, shown, baseline } = JSON.parse(document.getElementById("compare-board").textContent);
  const query = new URLSearchParams(location.search);
  const byKey = new Map(runs.map((run) => [run.key, run]));
  const state = { most: Math.max(shown, Number(query.get("shown")) || 0), off: new Set((query.get("off") ?? "").split(",").filter(Boolean)) };
  const form = page.querySelector("[data-band-tools]");
  for (const name of FIELDS) if (query.get(name)) form.elements[name].value = query.get(name);
  form.elements.traces.checked = query.get("traces") === "1";
  const visible = () => runs.slice(0, state.most).filter((run) => !state.off.has(run.id));
  const grouped = () => form.elements.group.value;

  const element = page.querySelector("[data-board]");
  element.dataset.url = page.dataset.url;
  element.dataset.started = 0;
  const groups = []; // the order in which groups were seen is their colour
  const board = attachBoard(element, {
    isSingle: false,
    points: 500,
    query: () => [
      ["runs", visible().map((run) => run.id).join(",")],
      ...(grouped() ? [["group", grouped()], ["center", form.elements.center.value], ["spread", form.elements.spread.value], ["traces", Number(form.elements.traces.checked)]] : []),
    ],
    styleOf: (line) => (line.group === undefined ? runStyle(byKey.get(line.run), Boolean(grouped()), line.run === baseline) : groupStyle(groups, line)),
    reload: () => location.reload(),
  });

  const show = () => {
    for (const box of page.querySelectorAll("[data-run-toggle]")) {
      const run = byKey.get(Number(box.dataset.runToggle));
      box.closest("li").hidden = runs.indexOf(run) >= state.most;
      box.checked = !state.off.has(run.id);
    }
    const rest = runs.length - state.most;
    const more = page.querySelector("[data-show-more]");
    more.hidden = rest <= 0;
    more.textContent = interpolate(ngettext("%s more run", "%s more runs", rest), [rest]);
    page.querySelector("[data-band-choices]").hidden = !grouped();
    const offer = page.querySelector("[data-seed-offer]");
    if (offer) offer.hidden = grouped() === "seeds";
  };
  const change = () => {
    show();
    write({ shown: state.most > shown ? state.most : "", off: [...state.off].join(","), group: grouped(), center: grouped() && form.elements.center.value !== "mean" ? form.elements.center.value : "", spread: grouped() && form.elements.spread.value !== "std" ? form.elements.spread.value : "", traces: grouped() && form.elements.traces.checked ? "1" : "" });
    board.refetch();
  };
  page.addEventListener("change", (event) => {
    const box = event.target.closest("[data-run-toggle]");
    if (box) state.off[box.checked ? "delete" : "add"](byKey.get(Number(box.dataset.runToggle)).id);
    else if (!form.contains(event.target)) return;
    change();
  });
  page.querySelector("[data-show-more]").addEventListener("click", () => {
    state.most += shown;
    change();
  });
  page.querySelector("[data-group-seeds]")?.addEventListener("click", () => {
    form.elements.group.value = "seeds";
    change();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  page.addEventListener("click", async (event) => {
    const colored = event.target.closest("[data-color-of]");
    if (colored) (await import("./color_picker.js")).pickColor(page.querySelector("[data-color-picker]"), colored.dataset);
    const link = event.target.closest("[data-baseline]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // its address has the runs alone: the page keeps how it shows them
    location.search = withChosen({ baseline: link.dataset.baseline });
  });
  show();
  if (board.cards.length) liveBoard(board, runs.map((run) => run.id), () => true);
}

function runStyle(run, isTrace, isBaseline) {
  return run && { color: `--run-${run.color}`, dash: run.dash, label: run.label, ...(isTrace ? { alpha: 0.3, width: 1 } : {}), ...(isBaseline ? { alpha: 1, width: 3, isBaseline } : {}) };
}

function groupStyle(groups, line) {
  if (!groups.includes(line.group)) groups.push(line.group);
  const place = groups.indexOf(line.group);
  return { color: `--run-${place % COLORS}`, dash: Math.floor(place / COLORS), label: `${line.group} (n=${line.run_count})`, width: 2.25 };
}

function write(chosen) {
  history.replaceState(history.state, "", withChosen(chosen));
}

function withChosen(chosen) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(chosen)) {
    query.delete(name);
    if (value) query.append(name, value);
  }
  return `?${query.toString().replaceAll("%2C", ",")}`;
}
