// A chart as SVG: the same lines, axes and labels as on the screen, as shapes.
const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const at = (value) => value.toFixed(1);

export function svgOf(card) {
  const { plot } = card.chart;
  const style = getComputedStyle(card.element);
  const color = (name) => style.getPropertyValue(name).trim();
  const ratio = devicePixelRatio;
  const box = { left: plot.bbox.left / ratio, top: plot.bbox.top / ratio + 28, width: plot.bbox.width / ratio, height: plot.bbox.height / ratio };
  const x = (value) => box.left + plot.valToPos(value, "x");
  const y = (value) => box.top + plot.valToPos(value, "y");
  const parts = [
    `<rect width="100%" height="100%" fill="${style.backgroundColor}"/>`,
    `<text x="12" y="19" font-weight="600" font-size="13" fill="${style.color}">${escaped(card.name)}</text>`,
    `<clipPath id="plot"><rect x="${at(box.left)}" y="${at(box.top)}" width="${at(box.width)}" height="${at(box.height)}"/></clipPath>`,
    ...axisParts(plot, box, { x, y, line: color("--chart-grid"), text: color("--chart-axis") }),
  ];
  for (const line of card.lines) parts.push(...lineParts(line, { x, y, log: card.settings.log, color: line.color.startsWith("--") ? color(line.color) : line.color }));
  return `<svg xmlns="${document.querySelector("svg").namespaceURI}" width="${plot.width}" height="${plot.height + 28}" font-family="system-ui, sans-serif">\n${parts.join("\n")}\n</svg>\n`;
}

function axisParts(plot, box, { x, y, line, text }) {
  const parts = [];
  const [ofX, ofY] = plot.axes;
  (ofX._splits ?? []).forEach((value, place) => {
    parts.push(`<path d="M${at(x(value))} ${at(box.top)}v${at(box.height)}" stroke="${line}"/>`);
    parts.push(`<text x="${at(x(value))}" y="${at(box.top + box.height + 16)}" font-size="11" text-anchor="middle" fill="${text}">${escaped(ofX._values[place] ?? "")}</text>`);
  });
  (ofY._splits ?? []).forEach((value, place) => {
    if (value === null) return;
    parts.push(`<path d="M${at(box.left)} ${at(y(value))}h${at(box.width)}" stroke="${line}"/>`);
    parts.push(`<text x="${at(box.left - 6)}" y="${at(y(value) + 4)}" font-size="11" text-anchor="end" fill="${text}">${escaped(ofY._values[place] ?? "")}</text>`);
  });
  return parts;
}

function lineParts(line, { x, y, log, color }) {
  const path = (places, values, more) => {
    let d = "";
    let isBroken = true;
    for (let place = 0; place < places.length; place += 1) {
      const value = values[place];
      if (value === null || (log && value <= 0)) isBroken = true;
      else {
        d += `${isBroken ? "M" : "L"}${at(x(places[place]))} ${at(y(value))}`;
        isBroken = false;
      }
    }
    return `<path clip-path="url(#plot)" d="${d}" fill="none" stroke="${color}" stroke-linejoin="round" ${more}><title>${escaped(line.label)}</title></path>`;
  };
  const smooth = line.smooth_x?.length > 0;
  const parts = [];
  if (line.band) {
    const edge = [...line.points.x.map((value, place) => `${at(x(value))},${at(y(line.band.high[place]))}`), ...line.points.x.map((value, place) => `${at(x(value))},${at(y(line.band.low[place]))}`).reverse()];
    parts.push(`<polygon clip-path="url(#plot)" points="${edge.join(" ")}" fill="${color}" opacity="0.18"/>`);
  }
  parts.push(path(line.points.x, line.points.y, smooth ? 'stroke-width="1.25" opacity="0.28"' : 'stroke-width="1.75"'));
  if (smooth) parts.push(path(line.smooth_x, line.smooth_y, 'stroke-width="1.75"'));
  return parts;
}
