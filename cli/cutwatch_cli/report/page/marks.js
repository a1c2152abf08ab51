// Marks that uPlot does not draw: stretches, events, planted anomalies, trainings. None is too narrow to be visible.

const NARROWEST = 2;

function pixel() {
  return window.devicePixelRatio || 1;
}

// Left and width of [first, last) on the canvas, if any of it is in view.
function place(plot, first, last) {
  const { left, width } = plot.bbox;
  const from = Math.max(plot.valToPos(first, "x", true), left);
  const until = Math.min(plot.valToPos(last, "x", true), left + width);
  if (until < left || from > left + width) return null;
  const wide = Math.max(until - from, NARROWEST * pixel());
  return [Math.min(from, left + width - wide), wide];
}

function fillStretch(plot, first, last, colour, top = 0, height = 1) {
  const found = place(plot, first, last);
  if (!found) return;
  plot.ctx.fillStyle = colour;
  plot.ctx.fillRect(found[0], plot.bbox.top + top * plot.bbox.height, found[1], height * plot.bbox.height);
}

function hatchStretch(plot, first, last, colour) {
  const found = place(plot, first, last);
  if (!found) return;
  const { ctx, bbox } = plot;
  const [left, width] = found;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = pixel();
  ctx.setLineDash([]);
  ctx.beginPath();
  for (let x = left - bbox.height; x < left + width; x += 7 * pixel()) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}

function dotStretch(plot, first, last, colour) {
  const found = place(plot, first, last);
  if (!found) return;
  const { ctx, bbox } = plot;
  const [left, width] = found;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * pixel();
  ctx.lineCap = "round";
  ctx.setLineDash([0, 7 * pixel()]);
  ctx.beginPath();
  for (let y = bbox.top + 4 * pixel(); y < bbox.top + bbox.height; y += 7 * pixel()) {
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
  }
  ctx.stroke();
  ctx.restore();
}

// Scores that are published but not readable yet.
function pending(about, colours) {
  const at = (position) => about.start + position * about.period;
  return (plot) => {
    for (const [first, end] of about.unreadable) dotStretch(plot, at(first), at(end), colours.score);
  };
}

function context(about, colours) {
  const at = (position) => about.start + position * about.period;
  return (plot) => {
    plot.ctx.save();
    for (const [first, end] of about.unscored) fillStretch(plot, at(first), at(end), colours.unscored);
    for (const [first, end] of about.missing) hatchStretch(plot, at(first), at(end), colours.missing);
    for (const [start, end] of about.events) fillStretch(plot, start, end, colours.event);
    plot.ctx.restore();
  };
}

// A bar over the time, with its kind where there is room: its shape, not only its colour, distinguishes it from an event.
function planted(about, colours) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const top = bbox.top + 21 * pixel(), height = 14 * pixel();
    for (const [start, end, kind] of about.planted) {
      const found = place(plot, start, end);
      if (!found) continue;
      const [left, width] = found;
      ctx.save();
      ctx.fillStyle = colours.page;
      ctx.fillRect(left, top, width, height);
      ctx.fillStyle = colours.plantedFill;
      ctx.fillRect(left, top, width, height);
      ctx.strokeStyle = colours.planted;
      ctx.lineWidth = 1.5 * pixel();
      ctx.setLineDash([]);
      ctx.strokeRect(left, top, width, height);
      ctx.font = `${11 * pixel()}px system-ui, sans-serif`;
      if (ctx.measureText(kind).width + 10 * pixel() <= width) {
        ctx.fillStyle = colours.planted;
        ctx.textAlign = "left";
        ctx.textBaseline = "middle";
        ctx.fillText(kind, left + 5 * pixel(), top + height / 2 + pixel());
      }
      ctx.restore();
    }
  };
}

// A strip below the metric marks every anomalous datapoint, including those without a value.
function strip(about, colours) {
  const at = (position) => about.start + position * about.period;
  return (plot) => {
    const height = (6 * pixel()) / plot.bbox.height;
    for (const [first, end] of about.anomalous)
      fillStretch(plot, at(first), at(end), colours.anomaly, 1 - height, height);
  };
}

// Event numbers at the top; where there is not enough room, the most severe win.
function numbers(about, colours) {
  const bySeverity = about.events
    .map(([start, end, severity], number) => ({ number, start, end, severity: severity ?? Infinity }))
    .sort((one, other) => other.severity - one.severity);
  return (plot) => {
    const taken = [];
    for (const { number, start, end } of bySeverity) {
      const found = place(plot, start, end);
      if (!found) continue;
      const centre = found[0] + found[1] / 2;
      if (taken.some((other) => Math.abs(other - centre) < 19 * pixel())) continue;
      taken.push(centre);
      tag(plot, String(number + 1), centre, plot.bbox.top + 9 * pixel(), colours.anomaly, colours.onMark);
    }
  };
}

function trainings(about, colours) {
  return (plot) => {
    const { ctx, bbox } = plot;
    for (const time of about.trained) {
      const x = plot.valToPos(time, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.save();
      ctx.strokeStyle = colours.cutoff;
      ctx.setLineDash([2 * pixel(), 3 * pixel()]);
      ctx.lineWidth = pixel();
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.restore();
      tag(plot, "T", x, bbox.top + 8 * pixel(), colours.cutoff, colours.onMark, true);
    }
  };
}

function tag(plot, text, x, y, colour, ink, square = false) {
  const { ctx } = plot;
  ctx.save();
  ctx.font = `bold ${10 * pixel()}px system-ui, sans-serif`;
  const half = Math.max(8 * pixel(), ctx.measureText(text).width / 2 + 4 * pixel());
  const inside = Math.min(Math.max(x, plot.bbox.left + half), plot.bbox.left + plot.bbox.width - half);
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.roundRect(inside - half, y - 8 * pixel(), 2 * half, 16 * pixel(), square ? 2 * pixel() : 8 * pixel());
  ctx.fill();
  ctx.fillStyle = ink;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, inside, y);
  ctx.restore();
}

// Each anomalous stretch of a series as a thick line, because uPlot would clip stretches narrower than a pixel. Distant and
// single datapoints get a dot.
function anomalies(about, colours, series) {
  return (plot) => {
    const { ctx, bbox, data } = plot;
    const visible = (plot.scales.x.max - plot.scales.x.min) / about.period;
    const apart = bbox.width / pixel() / visible > 5;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = ctx.fillStyle = colours.anomaly;
    ctx.lineWidth = 2.5 * pixel();
    ctx.setLineDash([]);
    ctx.lineJoin = ctx.lineCap = "round";
    for (const run of about.anomalous.flatMap(([first, end]) => withValues(data[series], first, end))) {
      if (data[0][run.at(-1)] < plot.scales.x.min || data[0][run[0]] > plot.scales.x.max) continue;
      const points = run.map((row) => [plot.valToPos(data[0][row], "x", true), plot.valToPos(data[series][row], "y", true)]);
      ctx.beginPath();
      points.forEach(([x, y]) => ctx.lineTo(x, y));
      ctx.stroke();
      if (apart || points.length === 1) points.forEach(([x, y]) => dot(ctx, x, y));
    }
    ctx.restore();
  };
}

// The rows of a stretch that have values, split at gaps.
function withValues(values, first, end) {
  const runs = [];
  for (let row = first; row < end; row++) {
    if (values[row] === null) continue;
    if (row > first && values[row - 1] !== null) runs.at(-1).push(row);
    else runs.push([row]);
  }
  return runs;
}

function dot(ctx, x, y) {
  ctx.beginPath();
  ctx.arc(x, y, 3 * pixel(), 0, 2 * Math.PI);
  ctx.fill();
}
