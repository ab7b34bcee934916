// An activation atlas: which grid is shown, its cells, the classes that they led to, the address.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const map = document.getElementById("map");
const ground = map.querySelector(".ground");
const tint = map.querySelector(".tint");
const cursor = map.querySelector(".cursor");
const views = document.getElementById("views");
const dark = matchMedia("(prefers-color-scheme: dark)");

const LEAST = 36; // pixels of a cell at which a finer grid is shown
const MOST = 2; // how much larger than its picture a cell can become
const JUMPS = 12;

// Data files are scripts, which a page opened from a disk can load: each calls `loaded`.
const files = new Map();
function load(path) {
  if (!files.has(path)) {
    const file = {};
    file.promise = new Promise((resolve, reject) => Object.assign(file, { resolve, reject }));
    files.set(path, file);
    const fail = () => {
      files.delete(path);
      file.reject(new Error(`${path} could not be loaded`));
    };
    document.head.append(element("script", { src: path, onerror: fail }));
  }
  return files.get(path).promise;
}
function loaded(path, content) {
  const file = files.get(path);
  file.there = true;
  file.resolve(content);
}

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

function decoded(folder, content) {
  let start = 0; // of this grid's cells among those of all grids
  const grids = content.grids.map((plain) => {
    const cells = new Uint16Array(bytes(plain.cells));
    const number = new Int32Array(plain.side ** 2).fill(-1);
    cells.forEach((at, cell) => (number[at] = cell));
    const grid = { ...plain, cells, number, start, folder: `${folder}/${plain.side}`, tiles: [] };
    for (let level = 0; level <= plain.levels; level++) {
      const span = data.block * 2 ** level;
      grid.tiles.push(new Set(Array.from(cells, (at) => `${Math.floor(at / plain.side / span)}-${Math.floor((at % plain.side) / span)}`)));
    }
    start += cells.length;
    return grid;
  });
  return { ...content, folder, grids, names: [...content.classes, ...content.marks], values: new Map() };
}

const sheets = new Map();
async function sheetAt(index) {
  const { folder } = data.sheets[index];
  if (!sheets.has(index)) sheets.set(index, decoded(folder, await load(`${folder}/sheet.js`)));
  return sheets.get(index);
}

// What all cells of a sheet have of a class or a direction; null where it has no such name.
async function valuesOf(sheet, name) {
  const index = sheet.names.indexOf(name);
  if (index === -1) return null;
  if (!sheet.values.has(name)) {
    const packed = await load(`${sheet.folder}/values/${Math.floor(index / data.together)}.js`);
    const [most, text] = packed[index % data.together];
    sheet.values.set(name, Float32Array.from(new Int16Array(bytes(text)), (part) => (part * most) / 32767));
  }
  return sheet.values.get(name);
}

// What is shown

const state = { sheet: 0, density: 0, class: "", than: "" };
let sheet = null;
let grid = null; // the one that is drawn
let asked = null; // values of what is asked for, of all grids' cells
let held = null; // a cell as its grid and number
let pointedAt = null;
const current = () => held ?? pointedAt;

const plane = planeIn(map, {
  changed: () => requestDraw(),
  most: () => (sheet ? Math.max(...sheet.grids.map(({ side }) => side)) * data.cell * MOST : Infinity),
  pointed(place) {
    const at = place && !held && cellAt(place);
    if (!at || (at.grid === pointedAt?.grid && at.cell === pointedAt.cell)) return;
    pointedAt = at;
    describe();
  },
  tapped(place) {
    const at = cellAt(place);
    hold(!at || (at.grid === held?.grid && at.cell === held.cell) ? null : at);
  },
});
const tiles = tilesOn(map.querySelector(".tiles"), plane);

function wantedGrid() {
  const { grids } = sheet;
  if (state.density) return grids.reduce((best, each) => (Math.abs(each.side - state.density) < Math.abs(best.side - state.density) ? each : best));
  return grids.findLast(({ side }) => plane.side() / side >= LEAST) ?? grids[0];
}

function cellAt({ x, y }) {
  if (!grid || x < 0 || y < 0 || x >= 1 || y >= 1) return null;
  const cell = grid.number[Math.floor(y * grid.side) * grid.side + Math.floor(x * grid.side)];
  return cell === -1 ? null : { grid, cell };
}

function placed({ grid: { side, cells }, cell }) {
  const [row, column] = [Math.floor(cells[cell] / side), cells[cell] % side];
  return { row, column, x: (column + 0.5) / side, y: (row + 0.5) / side, side };
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
    views.density.options[0].textContent = `by zoom (${grid.side} × ${grid.side})`;
    paint();
    rank();
  }
  const at = current();
  cursor.hidden = !at;
  if (at) {
    const { row, column, side: cells } = placed(at);
    const edge = (place) => Math.round((place / cells) * side);
    cursor.classList.toggle("held", Boolean(held));
    cursor.style.cssText = `left:${edge(column)}px;top:${edge(row)}px;width:${edge(column + 1) - edge(column)}px;height:${edge(row + 1) - edge(row)}px`;
  }
  requestAddress();
}

// Colors

const COLORS = [[5, 113, 176], [146, 197, 222], [247, 247, 247], [244, 165, 130], [202, 0, 32]];
const IN_THE_DARK = [[72, 158, 222], [42, 84, 116], [18, 19, 21], [134, 56, 46], [246, 96, 76]];

// Between -1 and 1; what is strong shows more of the picture.
function colored(level) {
  const colors = dark.matches ? IN_THE_DARK : COLORS;
  const at = clamped((level + 1) * 2, 0, 4);
  const low = Math.min(Math.floor(at), 3);
  return [...colors[low].map((value, channel) => value + (colors[low + 1][channel] - value) * (at - low)), 255 * (0.86 - 0.36 * Math.abs(level))];
}

const askedIn = ({ start, cells }) => asked.subarray(start, start + cells.length);
const mostOf = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const isMark = (name) => sheet.marks.includes(name);
const askedName = () => state.class + (state.than ? ` − ${state.than}` : "");

function paint() {
  const legend = document.getElementById("legend");
  tint.hidden = !asked;
  legend.hidden = !state.class;
  const [low, scale, high] = legend.querySelector(".scale").children;
  legend.querySelector(".scale").hidden = !asked;
  legend.firstElementChild.textContent = asked ? askedName() : `${askedName()} is not in this atlas`;
  if (!asked) return;
  const values = askedIn(grid);
  const most = mostOf(values);
  tint.width = tint.height = grid.side;
  const context = tint.getContext("2d");
  const pixels = context.createImageData(grid.side, grid.side);
  grid.cells.forEach((at, cell) => pixels.data.set(colored(values[cell] / (most || 1)), 4 * at));
  context.putImageData(pixels, 0, 0);
  low.textContent = number(-most);
  high.textContent = number(most) + (isMark(state.class) ? "" : " logits");
  const stops = [-1, -0.5, 0, 0.5, 1].map((level) => `rgb(${colored(level).slice(0, 3)})`);
  scale.style.background = `linear-gradient(90deg, ${stops})`;
}

// The strongest cells of what is asked for, to jump to.
function rank() {
  const section = document.getElementById("ranked");
  section.hidden = !asked;
  if (!asked) return;
  const values = askedIn(grid);
  const order = [...values.keys()].filter((cell) => values[cell] > 0).sort((a, b) => values[b] - values[a]);
  const than = state.than ? ` more than to ${state.than}` : "";
  section.querySelector("h2").textContent = isMark(state.class) ? `Cells with most of ${state.class}` : `Cells that led to ${state.class}${than || " most"}`;
  const jumps = order.slice(0, JUMPS).map((cell) => {
    const { row, column } = placed({ grid, cell });
    const value = number(values[cell]);
    const button = element("button", { type: "button", ariaLabel: `row ${row + 1}, column ${column + 1}: ${value}` }, icon({ grid, cell }), element("small", { textContent: value }));
    const at = { grid, cell };
    button.addEventListener("click", () => jump(at));
    return element("li", {}, button);
  });
  section.querySelector(".jumps").replaceChildren(...jumps);
}

// A cell's picture, out of its tile.
function icon(at, into = element("span", { className: "icon" })) {
  const { row, column } = placed(at);
  const part = (place) => ((place % data.block) / (data.block - 1)) * 100;
  Object.assign(into.style, {
    backgroundImage: `url("${at.grid.folder}/tiles/0-${Math.floor(row / data.block)}-${Math.floor(column / data.block)}.webp")`,
    backgroundSize: `${100 * data.block}%`,
    backgroundPosition: `${part(column)}% ${part(row)}%`,
  });
  return into;
}

// One cell

function hold(at, { spoken = false } = {}) {
  if (held && !at) pointedAt = held;
  held = at;
  describe({ spoken });
}

// Where a cell is as large as it becomes before a finer grid is shown.
function jump(at) {
  const finer = sheet.grids[sheet.grids.indexOf(at.grid) + 1];
  const side = state.density || !finer ? at.grid.side * data.cell : 0.98 * LEAST * finer.side;
  const { x, y } = placed(at);
  plane.go({ x, y, zoom: Math.max(side / plane.fitting(), state.density ? plane.view.zoom : 1) });
  hold(at, { spoken: true });
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function describe({ spoken = false } = {}) {
  requestDraw();
  const at = current();
  if (!at) return;
  const { row, column, side } = placed(at);
  const block = `${at.grid.folder}/cells/${Math.floor(row / data.block)}-${Math.floor(column / data.block)}`;
  if (!files.get(`${block}.js`)?.there && !held) {
    await pause(80); // a pointer on its way loads nothing
    if (at !== current()) return;
  }
  const { rows, cells } = await load(`${block}.js`);
  if (at !== current()) return;
  const [count, photographs, strongest, first, crops] = cells[at.cell];
  const section = document.getElementById("cell");
  const name = `Row ${row + 1}, column ${column + 1}`;
  const counted = `${count} position${count === 1 ? "" : "s"} of ${photographs} photograph${photographs === 1 ? "" : "s"}`;
  document.getElementById("empty").hidden = true;
  section.hidden = false;
  section.querySelector("h2").textContent = name;
  section.querySelector(".head .facts").textContent = `of ${side} × ${side} · ${counted}`;
  icon(at, section.querySelector(".icon")).ariaLabel = `Picture of ${name.toLowerCase()}`;
  shares(section, at, strongest);
  const box = section.querySelector(".crops");
  box.previousElementSibling.hidden = box.hidden = !crops;
  box.ariaLabel = `${crops} crops of photographs`;
  const [, columns] = data.crop;
  box.replaceChildren(
    ...Array.from({ length: crops }, (_, place) => {
      const [down, right] = [Math.floor((first + place) / columns), (first + place) % columns];
      const crop = element("i");
      crop.style.cssText = `background:url("${block}.webp") ${(right / (columns - 1)) * 100}% ${rows > 1 ? (down / (rows - 1)) * 100 : 0}% / ${columns * 100}% auto`;
      return crop;
    }),
  );
  if (!spoken) return;
  const led = strongest.slice(0, 3).map(([index, value]) => `${sheet.classes[index]} ${number(value)}`).join(", ");
  const also = asked ? `; ${askedName()} ${number(askedIn(at.grid)[at.cell])}` : "";
  announce(`${name}: ${counted}${led && `; led to ${led}`}${also}`);
}

const announce = (text) => (document.getElementById("announced").textContent = text);

// Bars from the middle, red for and blue against, of the strongest of any cell of the grid.
function shares(section, at, strongest) {
  const row = (name, value, most, className = "") => {
    const inner = element("i", { className: value < 0 ? "minus" : "" });
    inner.style.setProperty("--w", clamped(Math.abs(value) / (most || 1), 0, 1));
    const label = sheet.names.includes(name)
      ? element("button", { type: "button", title: name, textContent: name, onclick: () => choose("class", name) })
      : element("span", { title: name, textContent: name });
    label.className = className;
    return [label, element("div", { className: "share" }, inner), element("output", { textContent: number(value) })];
  };
  const most = at.grid.most;
  const rows = strongest.filter(([index]) => state.than || sheet.classes[index] !== state.class).map(([index, value]) => row(sheet.classes[index], value, most));
  if (asked) {
    const all = askedIn(at.grid);
    rows.unshift(row(askedName(), all[at.cell], isMark(state.class) ? mostOf(all) : most, "asked"));
  }
  section.querySelector(".shares").replaceChildren(...rows.flat());
  const shown = rows.length > 0;
  section.querySelector(".shares").previousElementSibling.hidden = !shown;
  section.querySelector(".scaled").textContent = shown ? `A whole bar is ${number(most)}, the most of any cell and class of this grid.` : "";
}

// What a reader asks for

async function ask() {
  const [wanted, first, than] = [sheet, state.class, state.than];
  const values = first ? await valuesOf(wanted, first) : null;
  const others = values && than ? await valuesOf(wanted, than) : null;
  if (wanted !== sheet || first !== state.class || than !== state.than) return;
  asked = than && values ? others && values.map((value, cell) => value - others[cell]) : values;
  fields.class.show(first);
  fields.than.show(than);
  views.than.closest("div").hidden = !first || isMark(first);
  if (!grid) return;
  paint();
  rank();
  describe();
}

async function choose(field, name) {
  state[field] = name;
  if (!state.class || isMark(state.class)) state.than = "";
  await ask();
  if (!name || !asked) return;
  const cells = document.querySelectorAll(".jumps li").length;
  announce(`${askedName()}: the strongest ${cells} cells are listed`);
}

const fields = {
  class: searched(views.class, { names: () => sheet?.names ?? [], chosen: (name) => choose("class", name) }),
  than: searched(views.than, { names: () => (sheet?.classes ?? []).filter((name) => name !== state.class), chosen: (name) => choose("than", name) }),
};

// Another sheet: the same place, and the cell that is there.
async function turn(index) {
  state.sheet = clamped(index, 0, data.sheets.length - 1);
  const { name, facts } = data.sheets[state.sheet];
  views.sheet.value = state.sheet;
  views.sheet.ariaValueText = name;
  views.querySelector("[for=sheet]:not(label)").value = name;
  document.getElementById("facts").textContent = facts;
  const wanted = await sheetAt(state.sheet);
  if (wanted !== sheets.get(state.sheet) || wanted === sheet) return;
  const same = (at) => {
    if (!at) return null;
    const place = placed(at);
    const other = wanted.grids.find(({ side }) => side === place.side);
    const cell = other?.number[place.row * place.side + place.column] ?? -1;
    return cell === -1 ? null : { grid: other, cell };
  };
  [held, pointedAt] = [same(held), same(pointedAt)];
  sheet = wanted;
  grid = null;
  asked = null;
  document.getElementById("cell").hidden ||= !current();
  views.querySelector(".sought").hidden = !sheet.names.length;
  draw();
  await ask();
}

views.addEventListener("submit", (event) => event.preventDefault());
views.sheet.addEventListener("input", () => turn(Number(views.sheet.value)));
views.density.addEventListener("input", () => {
  state.density = Number(views.density.value);
  requestDraw();
});
dark.addEventListener("change", () => sheet && paint());

function zoom(factor) {
  const { width, height } = plane.size();
  const middle = { x: width / 2, y: height / 2 };
  const at = held && placed(held);
  const held_ = at && { x: middle.x + (at.x - plane.view.x) * plane.side(), y: middle.y + (at.y - plane.view.y) * plane.side() };
  const inside = held_ && held_.x >= 0 && held_.y >= 0 && held_.x <= width && held_.y <= height;
  plane.go(factor ? plane.zoomed(factor, inside ? held_ : middle) : { x: 0.5, y: 0.5, zoom: 1 });
}
document.querySelector(".zooms").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) zoom(Number(button.dataset.zoom));
});

// The nearest cell in a direction; beside it counts less than along it.
function step(right, down) {
  const from = current()?.grid === grid ? placed(current()) : { ...scaled(current() ? placed(current()) : plane.view) };
  let best = null;
  let least = Infinity;
  grid.cells.forEach((_, cell) => {
    const { row, column } = placed({ grid, cell });
    const along = (column - from.column) * right + (row - from.row) * down;
    const aside = Math.abs((column - from.column) * down) + Math.abs((row - from.row) * right);
    const cost = along + 3 * aside;
    if (along > 0 && cost < least) [best, least] = [{ grid, cell }, cost];
  });
  if (!best) return;
  const { x, y, side } = placed(best);
  const { width, height } = plane.size();
  const reach = (extent) => Math.max(extent / 2 / plane.side() - 1 / side, 0);
  plane.go({ x: clamped(plane.view.x, x - reach(width), x + reach(width)), y: clamped(plane.view.y, y - reach(height), y + reach(height)) });
  hold(best, { spoken: true });
}
const scaled = ({ x, y }) => ({ row: Math.floor(y * grid.side), column: Math.floor(x * grid.side) });

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
map.addEventListener("keydown", (event) => {
  if (!plain(event) || !sheet) return;
  if (STEPS[event.key] && event.shiftKey) {
    const part = 120 / plane.side();
    const [right, down] = STEPS[event.key];
    plane.go({ x: plane.view.x + right * part, y: plane.view.y + down * part });
  } else if (STEPS[event.key]) step(...STEPS[event.key]);
  else if (event.key === "+" || event.key === "=") zoom(2);
  else if (event.key === "-") zoom(0.5);
  else if (event.key === "Home") zoom(0);
  else if (event.key === "PageUp") turn(state.sheet - 1);
  else if (event.key === "PageDown") turn(state.sheet + 1);
  else if (event.key === "Enter" || event.key === " ") hold(held ? null : (pointedAt ?? cellAt(plane.view)), { spoken: true });
  else if (event.key === "Escape") hold(null);
  else return;
  event.preventDefault();
});

// The address

let addressed = 0;
function requestAddress() {
  clearTimeout(addressed);
  addressed = setTimeout(() => {
    const { x, y, zoom } = plane.view;
    const place = held && placed(held);
    const kept = {
      sheet: state.sheet ? data.sheets[state.sheet].name : "",
      grid: state.density || "",
      class: state.class,
      than: state.than,
      cell: place ? [place.side, place.row, place.column].join("-") : "",
      at: zoom > 1.001 ? [x.toFixed(4), y.toFixed(4), zoom.toFixed(2)].join("_") : "",
    };
    const text = new URLSearchParams(Object.entries(kept).filter(([, value]) => value)).toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }, 250);
}

async function read() {
  const kept = new URLSearchParams(location.hash.slice(1));
  state.density = Number(views.density.value = kept.get("grid") ?? "");
  if (views.density.selectedIndex === -1) views.density.selectedIndex = 0;
  state.class = kept.get("class") ?? "";
  state.than = kept.get("than") ?? "";
  const wanted = kept.get("sheet") ?? data.sheets[0].name;
  await turn(Math.max(data.sheets.findIndex(({ name }) => name === wanted), 0));
  await ask();
  const [x, y, zoom] = (kept.get("at") ?? "0.5_0.5_1").split("_").map(Number);
  if ([x, y, zoom].every(Number.isFinite)) plane.set({ x, y, zoom });
  const [side, row, column] = (kept.get("cell") ?? "").split("-").map(Number);
  const found = sheet.grids.find((each) => each.side === side);
  const cell = found?.number[row * side + column] ?? -1;
  if (cell === -1) return hold(null);
  if (kept.has("at")) hold({ grid: found, cell }, { spoken: true });
  else jump({ grid: found, cell });
}
window.addEventListener("hashchange", read);
read();
