// A detector's section: its chart, drawn while it is near the viewport, and its controls.

const SMALLEST_VIEW = 6; // datapoints
const AROUND_EVENT = 24; // datapoints at least, before and after

class Section {
  constructor(article) {
    this.article = article;
    this.host = article.querySelector(".chart");
    this.number = this.host.dataset.chart;
    this.readout = article.querySelector(".readout");
    this.spoken = article.querySelector(".spoken");
    this.shown = article.querySelector(".view");
    this.about = JSON.parse(article.querySelector(`[data-of="${this.number}"]`).textContent);
    this.whole = [this.about.start, this.about.start + (this.about.count - 1) * this.about.period];
    if (this.about.count === 1) this.whole[1] += this.about.period;
    this.view = [this.timeAt(this.about.opening), this.whole[1]];
    this.event = -1;
    this.position = null;
    this.host.tabIndex = 0;
    this.host.addEventListener("keydown", (event) => this.key(event));
    article.querySelector(".toolbar").addEventListener("click", (event) => this.act(event.target.dataset.do));
    this.rows();
  }

  // Unpack and draw when close to the viewport. `wanted` is false if it has moved away meanwhile.
  async appear() {
    this.wanted = true;
    if (this.chart || this.unpacking) return;
    this.unpacking = true;
    try {
      this.series = await seriesOf(this.number, this.about);
    } catch (error) {
      this.readout.textContent = `This browser cannot unpack the chart's data (${error.message}); the chart shows the scored time.`;
    } finally {
      this.unpacking = false;
    }
    if (this.wanted && this.series) this.draw();
  }

  // Far from the viewport only the outline stays, so that memory does not grow with the number of detectors.
  vanish() {
    this.wanted = false;
    this.undraw();
    this.series = null;
  }

  draw() {
    this.host.classList.add("drawn");
    this.chart = drawChart(this.host, this.about, this.series, this.view, {
      cursor: (position) => this.read(position),
      view: (min, max) => this.moved(min, max),
    });
    this.moved(...this.view);
  }

  undraw() {
    this.chart?.destroy();
    this.chart = null;
    this.host.classList.remove("drawn");
  }

  redraw() {
    if (!this.chart) return;
    this.undraw();
    this.draw();
  }

  moved(min, max) {
    this.view = [min, max];
    const clock = this.chart?.clock ?? clockOf(this.about.zone);
    this.shown.textContent = `${clock.timestamp(min)} – ${clock.timestamp(max)}`;
    this.host.dataset.from = min;
    this.host.dataset.to = max;
  }

  // Show a time range, limited to the report's time and to a readable width.
  show(min, max) {
    const smallest = SMALLEST_VIEW * this.about.period;
    const widest = this.whole[1] - this.whole[0];
    const width = Math.min(Math.max(max - min, smallest), widest);
    const centre = (min + max) / 2;
    const from = Math.min(Math.max(centre - width / 2, this.whole[0]), this.whole[1] - width);
    this.moved(from, from + width);
    this.chart?.show(from, from + width);
  }

  zoom(factor) {
    const [min, max] = this.view;
    const here = this.position === null ? null : this.timeAt(this.position);
    const centre = here !== null && here >= min && here <= max ? here : (min + max) / 2;
    this.show(centre - (centre - min) * factor, centre + (max - centre) * factor);
  }

  move(share) {
    const width = this.view[1] - this.view[0];
    this.show(this.view[0] + share * width, this.view[1] + share * width);
  }

  timeAt(position) {
    return this.about.start + position * this.about.period;
  }

  step(direction) {
    const middle = Math.round(((this.view[0] + this.view[1]) / 2 - this.about.start) / this.about.period);
    const next = this.position === null ? middle : this.position + direction;
    const position = Math.min(Math.max(next, 0), this.about.count - 1);
    const time = this.timeAt(position);
    const width = this.view[1] - this.view[0];
    if (time < this.view[0] || time > this.view[1]) this.show(time - width / 2, time + width / 2);
    this.chart?.point(position);
    this.read(position);
    this.spoken.textContent = this.readout.textContent;
  }

  zoomTo(number) {
    const event = this.about.events[number];
    if (!event) return;
    this.event = number;
    const around = Math.max((event[1] - event[0]) * 1.5, AROUND_EVENT * this.about.period);
    this.show(event[0] - around, event[1] + around);
    for (const row of this.article.querySelectorAll("tr[data-event]")) {
      if (Number(row.dataset.event) === number) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    this.spoken.textContent = `Event ${number + 1}, ${event[3]} severity, ${this.shown.textContent}`;
  }

  // Go to the next or previous event, or to the first or last one.
  neighbour(direction) {
    const last = this.about.events.length - 1;
    if (last < 0) return;
    if (this.event >= 0) this.zoomTo(Math.min(Math.max(this.event + direction, 0), last));
    else this.zoomTo(direction > 0 ? 0 : last);
  }

  reset() {
    this.event = -1;
    for (const row of this.article.querySelectorAll("tr[aria-current]")) row.removeAttribute("aria-current");
    this.show(...this.whole);
  }

  act(name) {
    const actions = {
      in: () => this.zoom(0.5), out: () => this.zoom(2), earlier: () => this.move(-0.5), later: () => this.move(0.5),
      previous: () => this.neighbour(-1), next: () => this.neighbour(1), reset: () => this.reset(),
    };
    actions[name]?.();
  }

  key(event) {
    if (event.target !== this.host || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const name = { "+": "in", "=": "in", "-": "out", "−": "out", n: "next", p: "previous", 0: "reset", Escape: "reset" }[event.key];
    if (!arrow && !name) return;
    event.preventDefault();
    if (name) this.act(name);
    else if (event.shiftKey) this.move(arrow * 0.5);
    else this.step(arrow);
  }

  // Show the values of the datapoint under the cursor.
  read(position) {
    if (position === null || position === undefined || !this.series) return;
    this.position = position;
    const { unit } = this.about;
    const { value, score, expected, low, high, cutoff, flags, follows } = this.series;
    const facts = [["", this.chart ? this.chart.clock.timestamp(this.timeAt(position)) : ""], [this.about.words[0], written(value[position], unit)]];
    if (low[position] !== null) facts.push(["expected", `${written(expected[position], unit)} (${written(low[position], unit)} to ${written(high[position], unit)})`]);
    facts.push([this.about.words[1], score[position] === null ? (follows[position] ? "follows" : "none") : score[position].toPrecision(4)]);
    if (cutoff[position] !== null) facts.push(["cutoff", cutoff[position].toPrecision(4)]);
    if (flags[position]) facts.push(["", "anomalous"]);
    this.readout.replaceChildren(...facts.flatMap(([term, fact], place) => {
      const strong = document.createElement("b");
      strong.textContent = fact;
      return [place ? " · " : "", term ? `${term} ` : "", strong];
    }));
  }

  rows() {
    for (const row of this.article.querySelectorAll("tr[data-event]")) {
      const number = Number(row.dataset.event);
      const cell = row.querySelector("[data-zoom]");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = cell.textContent;
      button.setAttribute("aria-label", `Zoom to event ${number + 1}, ${cell.textContent}`);
      cell.replaceChildren(button);
      row.addEventListener("click", (event) => {
        if (event.target.closest("a")) return;
        this.zoomTo(number);
        this.host.scrollIntoView({ block: "nearest" });
      });
    }
  }
}
