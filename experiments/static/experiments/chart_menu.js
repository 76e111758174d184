// What one chart can do: fill the screen, be downloaded as a picture or a table, give its address.
import { announce } from "./copy.js";
import { rowsOf } from "./chart_values.js";

/** button: one of a card's menu. */
export function choose(board, button) {
  button.closest("details").open = false;
  actions[button.dataset.do](board.cards.find((card) => card.element.contains(button)));
}

const actions = {
  full: (card) => (document.fullscreenElement ? document.exitFullscreen() : card.element.requestFullscreen()),
  png: (card) => picture(card).toBlob((blob) => save(card, blob, "png")),
  svg: async (card) => {
    const { svgOf } = await import("./chart_svg.js");
    save(card, new Blob([svgOf(card)], { type: "image/svg+xml" }), "svg");
  },
  csv: (card) => {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const lines = [["run", card.settings.x, card.name], ...rowsOf(card)].map((row) => row.map((cell) => quoted(String(cell))).join(","));
    save(card, new Blob([lines.join("\n"), "\n"], { type: "text/csv" }), "csv");
  },
  link: async (card) => {
    // the page shows this chart alone, over the same range and axes
    const url = new URL(location.href);
    url.searchParams.set("match", `^${card.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
    try {
      await navigator.clipboard.writeText(url.href);
      announce(gettext("Copied"));
    } catch {
      announce(gettext("The browser did not allow copying."));
    }
  },
};

/** The chart with its name above it, on the ground of the page. */
function picture(card) {
  const drawn = card.element.querySelector("canvas");
  const style = getComputedStyle(card.element);
  const canvas = document.createElement("canvas");
  const head = 28 * devicePixelRatio;
  canvas.width = drawn.width;
  canvas.height = drawn.height + head;
  const context = canvas.getContext("2d");
  context.fillStyle = style.backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = style.color;
  context.font = `600 ${13 * devicePixelRatio}px system-ui, sans-serif`;
  context.fillText(card.name, 12 * devicePixelRatio, 19 * devicePixelRatio);
  context.drawImage(drawn, 0, head);
  return canvas;
}

function save(card, blob, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${card.name.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
