// What is drawn on the canvas of a chart: bands, lines, marks, stages. uPlot draws the axes.
const STAGE_NAME_MAX_CHARS = 16;
/** A run that changes its stage all the time (training, validation, training ...) gets no lines until one zooms in. */
const MAX_STAGES_IN_VIEW = 8;
/** Of runs that share a colour the later ones are dashed. */
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
const DOTS_UP_TO = 40;

/** lines: see plot.js. */
export function drawLines(plot, lines, { log, faintAlpha }) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineJoin = "round";
  for (const line of lines) if (line.band) fillBand(plot, line, log);
  for (const line of lines) {
    const hasSmooth = line.smooth_x?.length > 0;
    ctx.strokeStyle = ctx.fillStyle = line.color;
    ctx.setLineDash(DASHES[line.dash % DASHES.length].map((part) => part * devicePixelRatio));
    stroke(plot, line.points, { log, alpha: hasSmooth ? faintAlpha : (line.alpha ?? 1), width: hasSmooth ? 1.25 : (line.width ?? 1.75), dots: !hasSmooth });
    if (hasSmooth) stroke(plot, { x: line.smooth_x, y: line.smooth_y }, { log, alpha: 1, width: line.width ?? 1.75, dots: false });
  }
  ctx.restore();
}

function stroke(plot, { x, y }, { log, alpha, width, dots }) {
  const { ctx } = plot;
  ctx.globalAlpha = alpha;
  ctx.lineWidth = width * devicePixelRatio;
  ctx.beginPath();
  const lonely = [];
  let drawn = 0; // points of the piece that is being drawn
  let px;
  let py;
  const endPiece = () => {
    if (drawn === 1) lonely.push([px, py]);
    drawn = 0;
  };
  for (let place = 0; place < x.length; place += 1) {
    if (y[place] === null || (log && y[place] <= 0)) {
      endPiece();
      continue;
    }
    px = plot.valToPos(x[place], "x", true);
    py = plot.valToPos(y[place], "y", true);
    if (drawn) ctx.lineTo(px, py);
    else ctx.moveTo(px, py);
    drawn += 1;
    if (dots && x.length <= DOTS_UP_TO) lonely.push([px, py]);
  }
  endPiece();
  ctx.stroke();
  const size = 2.5 * devicePixelRatio; // a value that no line reaches, and those of a short line
  for (const [left, top] of lonely) {
    ctx.beginPath();
    ctx.arc(left, top, size, 0, 2 * Math.PI);
    ctx.fill();
  }
}

function fillBand(plot, { points, band, color }, log) {
  const { ctx } = plot;
  const at = (place, value) => [plot.valToPos(points.x[place], "x", true), plot.valToPos(log ? Math.max(value, plot.scales.y.min) : value, "y", true)];
  ctx.globalAlpha = 0.18;
  ctx.fillStyle = color;
  ctx.beginPath();
  points.x.forEach((_, place) => ctx.lineTo(...at(place, band.high[place])));
  for (let place = points.x.length - 1; place >= 0; place -= 1) ctx.lineTo(...at(place, band.low[place]));
  ctx.fill();
}

/** Triangles on the lower edge: here the value was NaN or infinite. */
export function drawMarks(plot, places, color) {
  const { ctx, bbox } = plot;
  const size = 5 * devicePixelRatio;
  const y = bbox.top + bbox.height;
  ctx.save();
  ctx.fillStyle = color;
  for (const place of places) {
    const x = plot.valToPos(place, "x", true);
    if (!isInside(bbox, x)) continue;
    ctx.beginPath();
    ctx.moveTo(x, y - size * 1.4);
    ctx.lineTo(x - size, y);
    ctx.lineTo(x + size, y);
    ctx.fill();
  }
  ctx.restore();
}

/** Thin vertical lines where a stage begins, with its name as far as there is room. */
export function drawStages(plot, stages, { line, text, font }) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const placed = stages.map(({ name, at }) => ({ name, x: plot.valToPos(at, "x", true) })).filter(({ x }) => isInside(bbox, x));
  if (placed.length > MAX_STAGES_IN_VIEW) return;
  ctx.save();
  ctx.lineWidth = ratio;
  ctx.strokeStyle = line;
  ctx.fillStyle = text;
  ctx.font = font.replace(/^\d+/, (size) => String(Number(size) * ratio));
  ctx.textBaseline = "top";
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  let nameEnds = -Infinity;
  for (const { name, x } of placed) {
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const shown = name.length > STAGE_NAME_MAX_CHARS ? `${name.slice(0, STAGE_NAME_MAX_CHARS)}…` : name;
    const width = ctx.measureText(shown).width;
    if (x < nameEnds || x + width > bbox.left + bbox.width) continue;
    ctx.fillText(shown, x + 3 * ratio, bbox.top);
    nameEnds = x + width + 8 * ratio;
  }
  ctx.restore();
}

function isInside(bbox, x) {
  return x >= bbox.left - 1 && x <= bbox.left + bbox.width + 1;
}
