// The page: which charts are drawn, the order of the index, the theme.

const NEAR = "400px 0px";

function sortIndex(table) {
  const headings = [...table.tHead.rows[0].cells];
  const compare = (one, other) => {
    const [left, right] = [Number(one), Number(other)];
    return Number.isNaN(left) || Number.isNaN(right) ? one.localeCompare(other, "en", { numeric: true }) : left - right;
  };
  headings.forEach((heading, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const now = heading.getAttribute("aria-sort");
      const next = now === "none" ? heading.dataset.first : now === "ascending" ? "descending" : "ascending";
      headings.forEach((each) => each.setAttribute("aria-sort", "none"));
      heading.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      const rows = [...table.tBodies[0].rows];
      rows.sort((one, other) => sign * compare(one.cells[place].dataset.sort, other.cells[place].dataset.sort));
      table.tBodies[0].append(...rows);
    });
  });
}

function theme(sections) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  let chosen = null;
  const apply = () => {
    const isDark = chosen ?? dark.matches;
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    button.textContent = isDark ? "Light theme" : "Dark theme";
    sections.forEach((section) => section.redraw());
  };
  dark.addEventListener("change", apply);
  button.addEventListener("click", () => {
    chosen = !(chosen ?? dark.matches);
    apply();
  });
  apply();
}

function drawNearbyCharts(sections) {
  const byHost = new Map(sections.map((section) => [section.host, section]));
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const section = byHost.get(target);
      if (isIntersecting) section.appear();
      else section.vanish();
    }
  }, { rootMargin: NEAR });
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) byHost.get(target).chart?.fit();
  });
  for (const host of byHost.keys()) {
    near.observe(host);
    sizes.observe(host);
  }
}

document.documentElement.classList.remove("no-js");
const sections = [...document.querySelectorAll(".detector")].map((article) => new Section(article));
const index = document.getElementById("index");
if (index) sortIndex(index);
theme(sections);
drawNearbyCharts(sections);
