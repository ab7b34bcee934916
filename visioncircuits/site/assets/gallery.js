// What the pages do beyond standing there. Without it everything is still shown and linked.
"use strict";

const typing = () => document.activeElement?.matches("input, select, textarea, pre");
const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;

// Three digits, as the pages' own.
function number(value) {
  const size = Math.abs(value);
  const text = size >= 100 ? value.toFixed(0) : size >= 1e-3 || !size ? String(Number(value.toPrecision(3))) : value.toExponential(1);
  return text.replace("-", "−");
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A slash goes to the search field of whichever page has one.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || !plain(event) || typing()) return;
  const search = document.querySelector("input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// A form whose fields are kept in the address, so that a view can be linked to.
function keptInAddress(form, fields, show) {
  function read() {
    const state = new URLSearchParams(location.hash.slice(1));
    for (const [name, field] of Object.entries(fields)) {
      field.value = state.get(name) ?? "";
      if (field.selectedIndex === -1) field.selectedIndex = 0;
    }
    show();
  }

  function write() {
    const state = new URLSearchParams();
    for (const [name, field] of Object.entries(fields)) if (field.value) state.set(name, field.value);
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    show();
  }

  form.addEventListener("input", write);
  form.addEventListener("reset", () => setTimeout(write));
  window.addEventListener("hashchange", read);
  form.hidden = false;
  read();
}

// A layer's page: filter, search and sort.
function layerPage(form, grid) {
  const fields = Object.fromEntries(
    ["q", "family", "branch", "sort"].filter((name) => form[name]).map((name) => [name, form[name]]),
  );
  const families = fields.family ? [...fields.family.options].map((option) => option.value) : [];
  const cells = [...grid.children].map((link, place) => ({
    link,
    place,
    name: link.dataset.unit,
    unit: /^\d+$/.test(link.dataset.unit) ? Number(link.dataset.unit) : Infinity, // a direction
    activation: Number(link.dataset.activation ?? -Infinity),
    orientation: Number(link.dataset.orientation ?? 360),
    families: (link.dataset.family ?? "").split(" ").filter(Boolean).map(Number),
    branch: link.dataset.branch ?? "",
  }));
  const orders = {
    "": (a, b) => a.place - b.place,
    unit: (a, b) => (a.unit === b.unit ? a.place - b.place : a.unit - b.unit),
    activation: (a, b) => b.activation - a.activation || a.place - b.place,
    orientation: (a, b) => a.orientation - b.orientation || a.place - b.place,
    family: (a, b) => (a.families[0] ?? Infinity) - (b.families[0] ?? Infinity) || a.place - b.place,
  };
  const noun = cells.every((cell) => cell.unit < Infinity) ? "units" : "features";
  let order = "";
  let shown = cells;

  // "41" is every unit whose number begins so, and "atom 41"; "41, 44" and "40-49" are those units
  // alone; "do" is every direction whose name contains it, "atom 4" has the number too.
  function sought(text) {
    const parts = text.replace(/^.*:/, "").split(/[\s,]+/).filter(Boolean);
    if (!parts.length) return () => true;
    const numbered = (name, part) => name.split(/\s+/).includes(part);
    if (parts.length === 1 && /^\d+$/.test(parts[0]))
      return ({ name, unit }) => name.startsWith(parts[0]) || (unit === Infinity && numbered(name, parts[0]));
    const ranges = parts.map((part) => part.match(/^(\d+)(?:[-–](\d+))?$/)).filter(Boolean);
    const words = parts.filter((part) => /\p{L}/u.test(part)).map((part) => part.toLowerCase());
    const numbers = words.length ? parts.filter((part) => /^\d+$/.test(part)) : [];
    return ({ name, unit }) =>
      ranges.some(([, first, last]) => unit >= first && unit <= (last ?? first)) ||
      (unit === Infinity && words.length > 0 &&
        words.every((word) => name.toLowerCase().includes(word)) &&
        numbers.every((part) => numbered(name, part)));
  }

  function sort(name) {
    const key = name in orders ? name : "";
    if (key === order) return;
    order = key;
    cells.sort(orders[key]);
    grid.append(...cells.map((cell) => cell.link));
  }

  function show() {
    const found = sought(fields.q.value);
    const family = families.indexOf(fields.family?.value ?? "");
    const branch = fields.branch?.value ?? "";
    sort(fields.sort.value);
    shown = cells.filter(
      (cell) =>
        found(cell) &&
        (family < 1 || cell.families.includes(family - 1)) &&
        (!branch || cell.branch === branch),
    );
    const visible = new Set(shown);
    for (const cell of cells) {
      const hidden = !visible.has(cell);
      if (cell.link.hidden !== hidden) cell.link.hidden = hidden;
    }
    const all = shown.length === cells.length;
    document.getElementById("count").value = all ? `${cells.length} ${noun}` : `${shown.length} of ${cells.length} ${noun}`;
    document.getElementById("none").hidden = shown.length > 0;
    document.getElementById("clear").hidden = all && !order;
    rove(grid.contains(document.activeElement) ? document.activeElement : shown[0]?.link);
  }

  // One picture of the grid is in the tab order; the arrow keys choose it.
  let stop = null;
  function rove(link) {
    if (!stop) for (const cell of cells) cell.link.tabIndex = -1;
    if (stop && stop !== link) stop.tabIndex = -1;
    if (link) link.tabIndex = 0;
    stop = link ?? stop;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (shown.length) shown[0].link.focus();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === fields.q && !fields.q.value) fields.q.blur();
  });
  grid.addEventListener("focusin", (event) => rove(event.target));
  grid.addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    const here = shown.findIndex((cell) => cell.link === document.activeElement);
    if (here === -1) return;
    const top = shown[0].link.offsetTop;
    const after = shown.findIndex((cell) => cell.link.offsetTop !== top);
    const columns = after === -1 ? shown.length : after;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -here, End: shown.length - 1 - here }[event.key];
    const target = shown[here + step]?.link;
    if (!target) return;
    event.preventDefault();
    target.focus();
  });
  keptInAddress(form, fields, show);
}

// A unit's page: the arrow keys lead to the units beside it, and records can be copied.
function unitPage() {
  document.addEventListener("keydown", (event) => {
    const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    if (!rel || !plain(event) || event.shiftKey || typing()) return;
    document.querySelector(`a[rel=${rel}]`)?.click();
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const text = button.closest("details").querySelector("pre");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text); // where pages may not copy, the reader can
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

// A unit's connections, strongest first: sort each layer's, and show those of a family alone.
function explorer(form) {
  const section = form.closest("section");
  const lists = [...section.querySelectorAll(".connections")].map((list) => ({
    list,
    cards: [...list.children].map((card, place) => {
      const [positive, negative] = card.dataset.weights.split(" ").map(Number);
      const families = (card.dataset.family ?? "").split(" ").filter(Boolean).map(Number);
      const unit = -Number(card.querySelector("b").textContent.replace(/^atom /, "")) || 0;
      return { card, place, norm: -place, positive, negative, unit, families };
    }),
  }));
  const all = lists.reduce((sum, { cards }) => sum + cards.length, 0);

  function show() {
    const key = form.sort.value;
    const family = (form.family?.selectedIndex ?? 0) - 1;
    let shown = 0;
    for (const { list, cards } of lists) {
      cards.sort((a, b) => b[key] - a[key] || a.place - b.place);
      list.append(...cards.map(({ card }) => card));
      for (const { card, families } of cards) {
        card.hidden = family >= 0 && !families.includes(family);
        shown += !card.hidden;
      }
    }
    form.querySelector("output").value = shown === all ? "" : `${shown} of ${all}`;
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show(); // a browser that comes back to the page may have kept what was chosen
}

// A small table: a click on a column's name sorts by it, the largest first, and again the smallest.
function sortable(table) {
  const [body] = table.tBodies;
  const names = [...table.tHead.rows[0].cells];
  names.forEach((name, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...name.childNodes);
    name.append(button);
    button.addEventListener("click", () => {
      const sign = name.ariaSort === "descending" ? 1 : -1;
      for (const each of names) each.ariaSort = "none";
      name.ariaSort = sign > 0 ? "ascending" : "descending";
      const value = (row) => Number(row.cells[column].dataset.value);
      body.append(...[...body.rows].sort((a, b) => sign * (value(a) - value(b))));
    });
  });
}

// Claims across networks: filter, search and sort the rows, kept in the address.
function claimsPage(form, body) {
  const fields = Object.fromEntries(["q", "article", "sort"].map((name) => [name, form[name]]));
  const rows = [...body.rows].map((row, place) => ({
    row,
    place,
    text: row.cells[0].textContent.toLowerCase(),
    article: row.dataset.article,
    verdicts: row.dataset.verdicts.split(" ").map(Number), // 0 holds; the larger, the less is known
  }));
  const holding = ({ verdicts }) => verdicts.filter((verdict) => verdict === 0).length;
  const range = ({ verdicts }) => {
    const decided = verdicts.filter((verdict) => verdict < 3);
    return decided.length ? Math.max(...decided) - Math.min(...decided) : -1;
  };
  const keys = {
    most: (row) => -holding(row),
    fewest: holding,
    apart: (row) => -range(row),
  };

  function show() {
    const words = fields.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const name = fields.sort.value;
    const key = keys[name] ?? (name === "" ? () => 0 : (row) => row.verdicts[Number(name)]);
    rows.sort((a, b) => key(a) - key(b) || a.place - b.place);
    body.append(...rows.map(({ row }) => row));
    let shown = 0;
    for (const { row, text, article } of rows) {
      row.hidden = !(words.every((word) => text.includes(word)) && (!fields.article.value || article === fields.article.value));
      shown += !row.hidden;
    }
    const all = shown === rows.length;
    document.getElementById("count").value = all ? `${shown} claims` : `${shown} of ${rows.length} claims`;
    document.getElementById("clear").hidden = all && !name;
  }

  keptInAddress(form, fields, show);
}

// The index: go straight to a unit or a direction by its name.
function indexPage(form) {
  const labels = JSON.parse(document.getElementById("units").textContent);
  const layers = Object.keys(labels);
  const problem = document.getElementById("goto-problem");
  form.addEventListener("input", () => (problem.value = ""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.unit.value.trim();
    const [, name, given] = text.match(/^(.*?)[:\s]+(.+)$/) ?? [null, text, null];
    const label = /^\d+$/.test(given) ? String(Number(given)) : given;
    const layer = layers.includes(name) ? name : layers.find((known) => known.startsWith(name));
    if (!text || layer === undefined) {
      problem.value = `no layer ${name} here`;
    } else if (label !== null && !labels[layer].includes(label)) {
      problem.value = `${layer} has no ${/^\d/.test(label) ? "unit" : "direction"} ${given} here`;
    } else {
      const page = document.querySelector(`a[data-layer="${CSS.escape(layer)}"]`).getAttribute("href");
      location.href = label === null ? page : page.replace("index.html", `${label.replace(/[^\w.-]/gu, "_")}.html`);
    }
  });
  form.hidden = false;
}

const filter = document.getElementById("filter");
if (filter) layerPage(filter, document.getElementById("content"));
const claims = document.getElementById("claims-filter");
if (claims) {
  claims.addEventListener("submit", (event) => event.preventDefault());
  claimsPage(claims, document.getElementById("claims-rows"));
}
const goto = document.getElementById("goto");
if (goto) indexPage(goto);
if (document.body.classList.contains("unit")) unitPage();
document.querySelectorAll("[data-explorer]").forEach(explorer);
document.querySelectorAll(".sortable").forEach(sortable);
