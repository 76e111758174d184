// Groups of the runs table unfold and fold. Which are open stands in the URL, and what htmx asks for carries it along.
const PARAMETER = "open";

export function attachGroups(table) {
  table.addEventListener("click", (event) => {
    const link = event.target.closest("[data-group]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const unfolds = link.getAttribute("aria-expanded") !== "true";
    remember(pathOf(link), unfolds);
    if (unfolds) unfold(link);
    else fold(link);
  });
  table.addEventListener("htmx:configRequest", (event) => {
    const open = new URLSearchParams(location.search).get(PARAMETER);
    if (open && !event.detail.elt.matches("[data-group]")) event.detail.parameters[PARAMETER] = open;
  });
  table.addEventListener("htmx:afterSettle", () => unfoldRemembered(table));
  unfoldRemembered(table);
}

function unfoldRemembered(table) {
  const open = remembered();
  for (const link of table.querySelectorAll('[data-group][aria-expanded="false"]')) if (open.has(pathOf(link))) unfold(link);
}

function unfold(link) {
  link.setAttribute("aria-expanded", "true");
  htmx.trigger(link, "unfold");
}

function fold(link) {
  link.setAttribute("aria-expanded", "false");
  const line = link.closest("tr");
  while (Number(line.nextElementSibling?.dataset.depth) > Number(line.dataset.depth)) line.nextElementSibling.remove();
}

/** The keys of the groups around it and its own. */
function pathOf(link) {
  const line = link.closest("tr");
  const path = [link.dataset.group];
  let depth = Number(line.dataset.depth);
  for (let above = line.previousElementSibling; above && depth > 1; above = above.previousElementSibling) {
    if (Number(above.dataset.depth) >= depth) continue;
    depth = Number(above.dataset.depth);
    path.unshift(above.querySelector("[data-group]").dataset.group);
  }
  return path.join(".");
}

function remembered() {
  return new Set((new URLSearchParams(location.search).get(PARAMETER) ?? "").split(",").filter(Boolean));
}

function remember(path, isOpen) {
  const open = remembered();
  open[isOpen ? "add" : "delete"](path);
  const query = new URLSearchParams(location.search);
  query.delete(PARAMETER);
  if (open.size) query.set(PARAMETER, [...open].join(","));
  history.replaceState(history.state, "", query.size ? `?${query.toString().replaceAll("%2C", ",")}` : location.pathname);
}
