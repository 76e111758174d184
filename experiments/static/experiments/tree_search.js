// Searching the trees of config, summary and environment: lines whose key or value holds the text, with those above them.
export function attachTreeSearch(part) {
  const box = part.querySelector("[data-tree-text]");
  if (!box) return;
  const search = () => {
    const text = box.value.trim().toLowerCase();
    for (const tree of part.querySelectorAll(".panel > .tree")) filter(tree, text);
    for (const packages of part.querySelectorAll(".packages")) filterPackages(packages, text);
  };
  box.oninput = search; // the one of the part that is shown: htmx keeps the box itself when a live change brings the part anew
  search();
}

/** Whether the tree holds the text somewhere. A branch whose own key holds it is shown whole. */
function filter(tree, text) {
  let any = false;
  for (const line of tree.children) {
    const branch = line.querySelector(":scope > details");
    const own = (branch ? branch.querySelector(".tree-key") : line).textContent.toLowerCase().includes(text);
    const inner = branch?.querySelector(":scope > .tree");
    const inside = inner ? filter(inner, own ? "" : text) : false;
    line.hidden = Boolean(text) && !own && !inside;
    if (branch && text && inside && !own) branch.open = true;
    any ||= !line.hidden;
  }
  return any;
}

function filterPackages(packages, text) {
  let any = false;
  for (const line of packages.querySelectorAll("li")) {
    line.hidden = Boolean(text) && !line.textContent.toLowerCase().includes(text);
    any ||= !line.hidden;
  }
  if (text) packages.open = any;
}
