// Unpacks the columns of a detector; series_data.py packs them.

const SIZES = { f4: 4, f8: 8 };
const ARRAYS = { f4: Float32Array, f8: Float64Array };

async function inflated(text) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Plain numbers, and null in gaps, as uPlot expects.
function column(bytes, kind, count) {
  const size = SIZES[kind];
  const ordered = new Uint8Array(count * size);
  for (let place = 0; place < size; place++) {
    const plane = place * count;
    for (let row = 0; row < count; row++) ordered[row * size + place] = bytes[plane + row];
  }
  return Array.from(new ARRAYS[kind](ordered.buffer), (number) => (Number.isNaN(number) ? null : number));
}

async function columnsOf(number, about) {
  const bytes = await inflated(document.querySelector(`[data-columns="${number}"]`).textContent);
  const found = [];
  let from = 0;
  for (const kind of about.kinds) {
    const until = from + SIZES[kind] * about.count;
    found.push(column(bytes.subarray(from, until), kind, about.count));
    from = until;
  }
  const nothing = new Array(about.count).fill(null);
  const [value, score, expected = nothing, below = nothing, above = nothing] = found;
  return { value, score, expected, below, above };
}

// Values that apply from each of these positions on.
function stepped(count, steps, valueOf) {
  const values = new Array(count).fill(null);
  for (const step of steps) values.fill(valueOf(step), step[0]);
  return values;
}

// All columns of the chart, with one value per datapoint.
async function seriesOf(number, about) {
  const { value, score, expected, below, above } = await columnsOf(number, about);
  const time = Array.from({ length: about.count }, (_, row) => about.start + row * about.period);
  const edge = (distances, sign) =>
    expected.map((each, row) => (each === null || distances[row] === null ? null : each + sign * distances[row]));
  const flags = new Uint8Array(about.count);
  for (const [first, end] of about.anomalous) flags.fill(1, first, end);
  const follows = new Uint8Array(about.count);
  for (const [first, end] of about.unreadable) follows.fill(1, first, end);
  return {
    time, value, score, flags, follows,
    expected,
    low: edge(below, -1),
    high: edge(above, 1),
    cutoff: stepped(about.count, about.cutoffs, (step) => step[1]),
  };
}
