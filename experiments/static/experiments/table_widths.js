// Columns are as wide as the reader dragged them, in every table that has them.
const KEY = "runicorn-widths";
const LEAST_PX = 48;

export function attachWidths(table) {
  const widths = kept();
  for (const head of table.querySelectorAll("th[data-column]")) {
    const name = head.dataset.column;
    if (widths[name]) setWidth(head, widths[name]);
    const handle = document.createElement("span");
    handle.className = "width-handle";
    head.append(handle);
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      const start = head.offsetWidth - event.clientX;
      handle.onpointermove = (moved) => setWidth(head, Math.max(LEAST_PX, start + moved.clientX));
      handle.onpointerup = () => {
        handle.onpointermove = handle.onpointerup = null;
        keep({ ...kept(), [name]: head.offsetWidth });
      };
    });
    handle.addEventListener("dblclick", () => {
      const { [name]: _, ...others } = kept();
      keep(others);
      setWidth(head, 0);
    });
  }
}

function setWidth(head, width) {
  head.style.minWidth = head.style.maxWidth = width ? `${width}px` : "";
  const place = [...head.parentElement.children].indexOf(head);
  for (const row of head.closest("table").tBodies[0].rows) {
    if (row.children.length > place) row.children[place].style.maxWidth = width ? `${width}px` : "";
  }
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // storage is forbidden: columns are as wide as what they hold
  }
}

function keep(widths) {
  try {
    localStorage.setItem(KEY, JSON.stringify(widths));
  } catch {
    // as above
  }
}
