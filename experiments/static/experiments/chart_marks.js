// What is drawn on a chart beside its line.
const STAGE_NAME_MAX_CHARS = 16;
/** A run that changes its stage all the time (training, validation, training ...) gets no lines until one zooms in. */
const MAX_STAGES_IN_VIEW = 8;

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
