// Colours of terminals (SGR escape sequences, ECMA-48) as classes; every other escape sequence is left out.
const ESCAPE = /\x1b(?:\[([0-9;:]*)([A-Za-z])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
const COLORS = ["gray", "red", "green", "yellow", "blue", "magenta", "cyan", "plain"];
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };

export function hasEscapes(text) {
  return text.includes("\x1b");
}

/** The line as nodes: text, and spans for what is coloured. */
export function ansiNodes(text) {
  const nodes = [];
  let style = { color: "", marks: new Set() };
  let from = 0;
  const add = (piece) => piece && nodes.push(styledNode(piece, style));
  for (const match of text.matchAll(ESCAPE)) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = changed(style, match[1]);
  }
  add(text.slice(from));
  return nodes;
}

function styledNode(text, { color, marks }) {
  const classes = [...marks].map((mark) => `ansi-${mark}`);
  if (color) classes.push(`ansi-${color}`);
  if (!classes.length) return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = classes.join(" ");
  span.textContent = text;
  return span;
}

function changed(style, parameters) {
  let { color } = style;
  const marks = new Set(style.marks);
  const codes = parameters.split(/[;:]/).map(Number);
  for (let place = 0; place < codes.length; place += 1) {
    const code = codes[place];
    if (code === 0) {
      color = "";
      marks.clear();
    } else if (STYLES[code]) marks.add(STYLES[code]);
    else if (code === 22) ["bold", "dim"].forEach((mark) => marks.delete(mark));
    else if (code === 23) marks.delete("italic");
    else if (code === 24) marks.delete("underline");
    else if (code === 39) color = "";
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) color = COLORS[code % 10] === "plain" ? "" : COLORS[code % 10];
    else if (code === 38 || code === 48) place += codes[place + 1] === 2 ? 4 : 2; // 256 and RGB colours: shown plain
  }
  return { color, marks };
}
