// The two plots of a detector, the metric above its score. Between two pixels uPlot draws from the lowest to the highest
// datapoint, so no peak is lost, however many datapoints a pixel holds.

const METRIC = { wide: 250, narrow: 210 };
const SCORE = { wide: 140, narrow: 120 };
const NARROW = 560;
const AXIS = 72;
const RIGHT = 28; // half of the widest time label
const HEADROOM = 0.2;

function coloursNow() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    page: colour("page"), text: colour("quiet"), grid: colour("grid"), metric: colour("metric"), expected: colour("expected"), expectedLine: colour("expected-line"), score: colour("score"),
    cutoff: colour("cutoff"), anomaly: colour("anomaly"), event: colour("event"), unscored: colour("unscored"),
    missing: colour("missing"), planted: colour("planted"), plantedFill: colour("planted-fill"), onMark: colour("on-mark"),
  };
}

// From zero if that costs little height, with room above for the numbers of the events.
function valueRange(headroom) {
  return (plot, lowest, highest) => {
    if (lowest === null || highest === null) return [0, 1];
    const margin = 0.06 * (highest - lowest || Math.abs(highest) || 1);
    const bottom = lowest >= 0 && lowest <= 0.4 * highest ? 0 : lowest - margin;
    return [bottom, highest + margin + headroom * (highest + margin - bottom)];
  };
}

function axes(colours, clock, labelled, name) {
  const look = { stroke: colours.text, font: "12px system-ui, sans-serif", grid: { stroke: colours.grid, width: 1 } };
  return [
    {
      ...look, space: 70, ticks: { show: false }, size: labelled ? 40 : 8,
      values: (plot, splits, axis, space, increment) => (labelled ? timeLabels(clock, splits, increment) : splits.map(() => "")),
    },
    {
      ...look, size: AXIS, space: 36, ticks: { show: false },
      values: (plot, splits) => evenLabels(splits),
      label: name, labelSize: 18, labelGap: 0, labelFont: "12px system-ui, sans-serif",
    },
  ];
}

function line(stroke, width, more = {}) {
  return { stroke, width, points: { show: false }, ...more };
}

function metricOptions(about, colours, clock) {
  return {
    scales: { x: { time: true }, y: { range: valueRange(HEADROOM) } },
    series: [
      {},
      line(colours.expected, 1),
      line(colours.expected, 1),
      line(colours.metric, 1.25),
      line(colours.expectedLine, 1.25, { dash: [4, 3] }),
    ],
    bands: [{ series: [2, 1], fill: colours.expected }],
    axes: axes(colours, clock, false, namedWithUnit(about.axis, about.unit)),
    hooks: {
      drawClear: [context(about, colours)],
      draw: [anomalies(about, colours, 3), strip(about, colours), planted(about, colours), numbers(about, colours)],
    },
  };
}

function scoreOptions(about, colours, clock) {
  return {
    scales: { x: { time: true }, y: { range: (plot, lowest, highest) => [Math.min(lowest ?? 0, 0), (highest ?? 1) * 1.12 || 1] } },
    series: [
      {},
      line(colours.score, 1),
      line(colours.cutoff, 1.75, { dash: [6, 3] }),
    ],
    axes: axes(colours, clock, true, about.words[2]),
    hooks: { drawClear: [context(about, colours), pending(about, colours)], draw: [anomalies(about, colours, 1), trainings(about, colours)] },
  };
}

// Draws into a host; `listener` receives the position under the cursor and the view. Returns the chart's operations.
function drawChart(host, about, series, view, listener) {
  const clock = clockOf(about.zone);
  const colours = coloursNow();
  const key = `detector-${host.dataset.chart}`;
  const plots = [];
  let following = false;
  const follow = (plot, scale) => {
    if (scale !== "x" || following) return;
    following = true;
    const { min, max } = plot.scales.x;
    for (const other of plots) if (other !== plot) other.setScale("x", { min, max });
    listener.view(min, max);
    following = false;
  };
  const shared = (height) => ({
    width: Math.max(host.clientWidth - 10, 200),
    height: host.clientWidth < NARROW ? height.narrow : height.wide,
    padding: [8, RIGHT, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), clock.zone),
    legend: { show: false },
    cursor: { sync: { key, scales: ["x", null] }, drag: { x: true, y: false }, points: { size: 8 }, y: false },
  });
  const make = (options, height, data) => {
    options.hooks.setScale = [follow];
    options.hooks.setCursor = [(plot) => listener.cursor(plot.cursor.idx)];
    options.scales.x.min = view[0];
    options.scales.x.max = view[1];
    const plot = new uPlot({ ...options, ...shared(height) }, data, host);
    plot.setScale("x", { min: view[0], max: view[1] });
    plots.push(plot);
  };
  make(metricOptions(about, colours, clock), METRIC, [series.time, series.low, series.high, series.value, series.expected]);
  make(scoreOptions(about, colours, clock), SCORE, [series.time, series.score, series.cutoff]);
  return {
    clock,
    show: (min, max) => plots[0].setScale("x", { min, max }),
    point: (position) => {
      const left = plots[0].valToPos(series.time[position], "x");
      for (const plot of plots) plot.setCursor({ left, top: plot.over.clientHeight / 2 });
    },
    fit: () => {
      for (const [plot, height] of [[plots[0], METRIC], [plots[1], SCORE]]) {
        const size = shared(height);
        if (plot.width !== size.width) plot.setSize({ width: size.width, height: size.height });
      }
    },
    destroy: () => plots.forEach((plot) => plot.destroy()),
  };
}
