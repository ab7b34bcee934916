// What stands beside an atlas, and its colors: pictures of cells, crops, bars.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");

const COLORS = [[5, 113, 176], [146, 197, 222], [247, 247, 247], [244, 165, 130], [202, 0, 32]];
const IN_THE_DARK = [[72, 158, 222], [42, 84, 116], [18, 19, 21], [134, 56, 46], [246, 96, 76]];

// The color of a level from -1 to 1.
function colored(level) {
  const colors = dark.matches ? IN_THE_DARK : COLORS;
  const at = clamped((level + 1) * 2, 0, 4);
  const low = Math.min(Math.floor(at), 3);
  return colors[low].map((value, channel) => value + (colors[low + 1][channel] - value) * (at - low));
}

const mostOf = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

// Color every cell, the strong ones less, so that their pictures show; a pixel is a cell.
function tinted(canvas, grid, values) {
  const most = mostOf(values) || 1;
  canvas.width = canvas.height = grid.side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = getComputedStyle(canvas).getPropertyValue("--wash"); // where no cell is
  context.fillRect(0, 0, grid.side, grid.side);
  const pixels = context.getImageData(0, 0, grid.side, grid.side);
  grid.cells.forEach((at, cell) => {
    const level = values[cell] / most;
    pixels.data.set([...colored(level), 255 * (0.8 - 0.35 * Math.abs(level))], 4 * at);
  });
  context.putImageData(pixels, 0, 0);
}

function scaled(legend, most, units) {
  const [low, bar, high] = legend.children;
  low.textContent = number(-most);
  high.textContent = `${number(most)}${units}`;
  const stops = [-1, -0.5, 0, 0.5, 1].map((level) => `rgb(${colored(level)})`);
  bar.style.background = `linear-gradient(90deg, ${stops})`;
}

// A cell's picture, out of its tile.
function icon(at, into = element("span", { className: "icon" })) {
  const { row, column } = placed(at);
  const tile = (place) => Math.floor(place / data.block);
  const part = (place) => `${((place % data.block) / (data.block - 1)) * 100}%`;
  Object.assign(into.style, {
    backgroundImage: `url("${at.grid.folder}/tiles/0-${tile(row)}-${tile(column)}.webp")`,
    backgroundSize: `${100 * data.block}%`,
    backgroundPosition: `${part(column)} ${part(row)}`,
  });
  return into;
}

// One of the crops on a block's sheet.
function crop(path, rows, place) {
  const { columns } = data;
  const down = rows > 1 ? (Math.floor(place / columns) / (rows - 1)) * 100 : 0;
  const right = ((place % columns) / (columns - 1)) * 100;
  const made = element("i");
  made.style.background = `url("${path}") ${right}% ${down}% / ${columns * 100}% auto`;
  return made;
}

// A bar from the middle, red to the right and blue to the left.
function bar(label, value, most) {
  const inner = element("i", { className: value < 0 ? "minus" : "" });
  inner.style.setProperty("--w", clamped(Math.abs(value) / (most || 1), 0, 1));
  return [label, element("div", { className: "share" }, inner), element("small", { textContent: number(value) })];
}
