// The data of atlases, loaded where it is looked at: grids of cells, and values of classes.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

// Files are scripts, which a page opened from a disk can load: each calls `loaded`.
const files = new Map();
function load(path) {
  if (!files.has(path)) {
    const file = { there: false };
    file.promise = new Promise((resolve, reject) => Object.assign(file, { resolve, reject }));
    files.set(path, file);
    const onerror = () => {
      files.delete(path); // to be tried again
      file.reject(new Error(`${path} cannot be loaded`));
    };
    document.head.append(element("script", { src: path, onerror }));
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
    const { side, levels } = plain;
    const cells = new Uint16Array(bytes(plain.cells)); // row times side, plus column
    const number = new Int32Array(side ** 2).fill(-1);
    cells.forEach((at, cell) => (number[at] = cell));
    const grid = { ...plain, cells, number, start, folder: `${folder}/${side}` };
    grid.tiles = Array.from({ length: levels + 1 }, (_, level) => {
      const span = data.block * 2 ** level;
      return new Set(Array.from(cells, (at) => `${Math.floor(at / side / span)}-${Math.floor((at % side) / span)}`));
    });
    start += cells.length;
    return grid;
  });
  return { ...content, folder, grids, names: [...content.classes, ...content.marks], values: new Map() };
}

const sheets = new Map();
async function sheetAt(index) {
  const { folder } = data.sheets[index];
  const content = await load(`${folder}/sheet.js`);
  if (!sheets.has(index)) sheets.set(index, decoded(folder, content));
  return sheets.get(index);
}

// What the cells of all grids have of a class or a direction; null where a sheet has no such name.
async function valuesOf({ folder, names, values }, name) {
  const index = names.indexOf(name);
  if (index === -1) return null;
  if (!values.has(name)) {
    const packed = await load(`${folder}/values/${Math.floor(index / data.together)}.js`);
    const [most, text] = packed[index % data.together];
    values.set(name, Float32Array.from(new Int16Array(bytes(text)), (part) => (part * most) / 32767));
  }
  return values.get(name);
}

// A cell is its grid and its number there.
function placed({ grid: { side, cells }, cell }) {
  const [row, column] = [Math.floor(cells[cell] / side), cells[cell] % side];
  return { row, column, x: (column + 0.5) / side, y: (row + 0.5) / side, side };
}

const same = (one, other) => one?.grid === other?.grid && one?.cell === other?.cell;

function cellIn(grid, row, column) {
  const inside = row >= 0 && column >= 0 && row < grid?.side && column < grid.side;
  const cell = inside ? grid.number[row * grid.side + column] : -1;
  return cell === -1 ? null : { grid, cell };
}

// The nearest cell in a direction; what is aside of it is farther.
function beyond(grid, from, right, down) {
  let nearest = null;
  let least = Infinity;
  for (const cell of grid.cells.keys()) {
    const { row, column } = placed({ grid, cell });
    const along = (column - from.column) * right + (row - from.row) * down;
    const aside = Math.abs((column - from.column) * down) + Math.abs((row - from.row) * right);
    if (along <= 0 || along + 3 * aside >= least) continue;
    nearest = { grid, cell };
    least = along + 3 * aside;
  }
  return nearest;
}
