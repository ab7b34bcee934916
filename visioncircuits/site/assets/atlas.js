// An activation atlas: which grid is shown, a cell, the class that cells led to, and the address.
"use strict";

const map = document.getElementById("map");
const ground = map.querySelector(".ground");
const tint = map.querySelector(".tint");
const cursor = map.querySelector(".cursor");
const views = document.getElementById("views");
const section = document.getElementById("cell");

const LEAST = 36; // pixels of a cell at which a finer grid is shown
const MOST = 2; // how much larger than its picture a cell can become, where that is beyond LEAST
const JUMPS = 12;

const state = { sheet: 0, density: 0, class: "", than: "" }; // what is asked for
let sheet = null;
let grid = null; // the one that is drawn
let asked = null; // values of what is asked for, of the cells of all grids
let held = null; // a cell
let pointedAt = null;
const current = () => held ?? pointedAt;

const plane = planeIn(map, {
  changed: requestDraw,
  most: Math.max(...data.sheets.flatMap(({ sides }) => sides)) * Math.max(data.cell, LEAST) * MOST,
  pointed(place) {
    const at = held ? null : cellAt(place);
    if (!at || same(at, pointedAt)) return;
    pointedAt = at;
    describe();
  },
  tapped(place) {
    const at = cellAt(place);
    hold(same(at, held) ? null : at);
  },
});
const tiles = tilesOn(map.querySelector(".tiles"), plane);

const cellAt = (place) => place && cellIn(grid, Math.floor(place.y * grid?.side), Math.floor(place.x * grid?.side));

function wantedGrid() {
  const away = ({ side }) => Math.abs(Math.log(side / state.density));
  if (state.density) return sheet.grids.reduce((best, each) => (away(each) < away(best) ? each : best));
  return sheet.grids.findLast(({ side }) => plane.side() / side >= LEAST) ?? sheet.grids[0];
}

let requested = 0;
function requestDraw() {
  requested ||= requestAnimationFrame(() => {
    requested = 0;
    if (sheet) draw();
  });
}

function draw() {
  const side = plane.side();
  const { width, height } = plane.size();
  const wanted = wantedGrid();
  const pixels = (side / wanted.side) * Math.min(devicePixelRatio, 2);
  const level = clamped(Math.floor(Math.log2(data.cell / pixels)), 0, wanted.levels);
  ground.style.transform = `translate(${Math.round(width / 2 - plane.view.x * side)}px, ${Math.round(height / 2 - plane.view.y * side)}px)`;
  tiles.draw({
    key: `${wanted.folder}-${level}`,
    span: (data.block * 2 ** level) / wanted.side,
    path: (row, column) => (wanted.tiles[level].has(`${row}-${column}`) ? `${wanted.folder}/tiles/${level}-${row}-${column}.webp` : null),
  });
  tint.style.width = tint.style.height = `${Math.round(side)}px`;
  if (wanted !== grid) {
    grid = wanted;
    document.getElementById("shown").value = `${grid.side} × ${grid.side} cells`;
    paint();
    rank();
  }
  const at = current();
  cursor.hidden = !at;
  cursor.classList.toggle("held", Boolean(held));
  if (at) {
    const { row, column, side: cells } = placed(at);
    const edge = (place) => Math.round((place / cells) * side);
    cursor.style.cssText = `left:${edge(column)}px;top:${edge(row)}px;width:${edge(column + 1) - edge(column)}px;height:${edge(row + 1) - edge(row)}px`;
  }
  requestAddress();
}

// What cells led to

const askedIn = ({ start, cells }) => asked.subarray(start, start + cells.length);
const isMark = (name) => sheet.marks.includes(name);
const askedName = () => state.class + (state.than ? ` − ${state.than}` : "");

function paint() {
  const legend = document.getElementById("legend");
  const [name, scale] = legend.children;
  tint.hidden = scale.hidden = !asked;
  legend.hidden = !state.class;
  name.textContent = asked ? askedName() : `${askedName()} is not in this atlas`;
  if (!asked) return;
  tinted(tint, grid, askedIn(grid));
  scaled(scale, mostOf(askedIn(grid)), isMark(state.class) ? "" : " logits");
}

// The strongest cells of what is asked for, to jump to.
function rank() {
  const list = document.getElementById("ranked");
  list.hidden = !asked;
  if (!asked) return;
  const values = askedIn(grid);
  const order = [...values.keys()].filter((cell) => values[cell] > 0).sort((a, b) => values[b] - values[a]);
  const { class: name, than } = state;
  list.querySelector("h2").textContent = isMark(name) ? `Cells with most of ${name}` : `Cells that led to ${name} ${than ? `more than to ${than}` : "most"}`;
  const jumps = order.slice(0, JUMPS).map((cell) => {
    const at = { grid, cell };
    const { row, column } = placed(at);
    const value = number(values[cell]);
    const properties = { type: "button", ariaLabel: `Row ${row + 1}, column ${column + 1}: ${value}`, onclick: () => jump(at) };
    return element("li", {}, element("button", properties, icon(at), element("small", { textContent: value })));
  });
  list.querySelector(".jumps").replaceChildren(...jumps);
}

// A view in which a cell is as large as it becomes before a finer grid is shown.
function closeTo(at) {
  const finer = sheet.grids[sheet.grids.indexOf(at.grid) + 1];
  const side = state.density || !finer ? at.grid.side * data.cell : 0.98 * LEAST * finer.side;
  const { x, y } = placed(at);
  return { x, y, zoom: Math.max(side / plane.fitting(), state.density && plane.view.zoom) };
}

function jump(at) {
  plane.go(closeTo(at));
  hold(at, { spoken: true });
}

// One cell

function hold(at, { spoken = false } = {}) {
  if (held && !at) pointedAt = held;
  held = at;
  section.parentElement.scrollTop = 0;
  describe({ spoken });
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const several = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const announce = (text) => (document.getElementById("announced").textContent = text);

async function describe({ spoken = false } = {}) {
  requestDraw();
  const at = current();
  if (!at) return;
  const { row, column, side } = placed(at);
  const block = `${at.grid.folder}/cells/${Math.floor(row / data.block)}-${Math.floor(column / data.block)}`;
  if (!files.get(`${block}.js`)?.there && !held) {
    await pause(80); // a pointer on its way loads nothing
    if (!same(at, current())) return;
  }
  const { rows, cells } = await load(`${block}.js`);
  if (!same(at, current())) return;
  const [count, photographs, strongest, first, crops] = cells[at.cell];
  const name = `Row ${row + 1}, column ${column + 1}`;
  const counted = `${several(count, "position")} of ${several(photographs, "photograph")}`;
  document.getElementById("empty").hidden = true;
  section.hidden = false;
  section.querySelector("h2").textContent = name;
  section.querySelector(".head .facts").textContent = `of ${side} × ${side} · ${counted}`;
  icon(at, section.querySelector(".icon")).ariaLabel = `Picture of ${name.toLowerCase()}`;
  listClasses(at, strongest);
  const box = section.querySelector(".crops");
  box.previousElementSibling.hidden = box.hidden = !crops;
  box.ariaLabel = several(crops, "crop");
  box.replaceChildren(...Array.from({ length: crops }, (_, place) => crop(`${block}.webp`, rows, first + place)));
  if (!spoken) return;
  const led = strongest.slice(0, 3).map(([index, value]) => `${sheet.classes[index]} ${number(value)}`).join(", ");
  const also = asked ? `; ${askedName()} ${number(askedIn(at.grid)[at.cell])}` : "";
  announce(`${name}: ${counted}${led && `; led to ${led}`}${also}`);
}

function listClasses(at, strongest) {
  const { most } = at.grid;
  const bars = strongest
    .map(([index, value]) => [sheet.classes[index], value])
    .filter(([name]) => state.than || name !== state.class)
    .map(([name, value]) => bar(element("button", { type: "button", title: name, textContent: name, onclick: () => choose("class", name) }), value, most));
  if (asked) {
    const values = askedIn(at.grid);
    const label = element("span", { className: "asked", title: askedName(), textContent: askedName() });
    bars.unshift(bar(label, values[at.cell], isMark(state.class) ? mostOf(values) : most));
  }
  section.querySelector(".shares").replaceChildren(...bars.flat());
  section.querySelector(".led").hidden = !bars.length;
  section.querySelector(".scaled").textContent = `Bars end at ±${number(most)}, the most of any cell and class of this grid.`;
}

// What a reader asks for: another atlas at the same place, a class, another to compare with.

let wishes = 0;
async function update(arrive = () => {}) {
  const wish = ++wishes;
  const wanted = await sheetAt(state.sheet);
  const values = await valuesOf(wanted, state.class);
  const others = state.than ? await valuesOf(wanted, state.than) : null;
  if (wish !== wishes) return;
  if (wanted !== sheet) {
    const moved = (at) => {
      if (!at) return null;
      const { row, column, side } = placed(at);
      return cellIn(wanted.grids.find((each) => each.side === side), row, column);
    };
    [held, pointedAt] = [moved(held), moved(pointedAt)];
  }
  sheet = wanted;
  grid = null; // to be drawn with all that belongs to it
  arrive();
  section.hidden ||= !current();
  asked = state.than && values ? others && values.map((value, cell) => value - others[cell]) : values;
  const { name, facts } = data.sheets[state.sheet];
  views.sheet.value = state.sheet;
  views.sheet.ariaValueText = name;
  document.getElementById("sheet-name").value = name;
  document.getElementById("facts").textContent = facts;
  fields.class.show(state.class);
  fields.than.show(state.than);
  views.class.closest("div").hidden = !sheet.names.length;
  views.than.closest("div").hidden = !state.class || isMark(state.class);
  draw();
  describe();
}

function turn(index) {
  state.sheet = clamped(index, 0, data.sheets.length - 1);
  return update();
}

async function choose(field, name) {
  state[field] = name;
  if (!state.class || isMark(state.class)) state.than = "";
  await update();
  if (asked) announce(`${askedName()}: the strongest cells are listed`);
}

const fields = {
  class: searched(views.class, { names: () => sheet?.names ?? [], chosen: (name) => choose("class", name) }),
  than: searched(views.than, { names: () => (sheet?.classes ?? []).filter((name) => name !== state.class), chosen: (name) => choose("than", name) }),
};
views.addEventListener("submit", (event) => event.preventDefault());
views.sheet.addEventListener("input", () => turn(Number(views.sheet.value)));
views.density.addEventListener("input", () => {
  state.density = Number(views.density.value);
  requestDraw();
});
dark.addEventListener("change", () => sheet && paint());
window.addEventListener("unhandledrejection", ({ reason }) => {
  const problem = document.getElementById("problem");
  problem.textContent = reason.message;
  problem.hidden = false;
});
