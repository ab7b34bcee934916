// An explained photograph: positions under the pointer, groups and classes that light up.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const photo = document.getElementById("photo");
const canvas = photo.querySelector("canvas");
const cursor = photo.querySelector(".cursor");
const views = document.getElementById("views");

// As many decimals as the largest of a list needs for three digits.
function decimal(value, scale) {
  const places = Math.min(Math.max(2 - Math.floor(Math.log10(scale || 1)), 0), 6);
  return value.toFixed(places).replace("-", "−");
}

const colors = [...document.querySelectorAll(".facts .key")].map((key) => key.style.getPropertyValue("--c"));

let held = false;
let at = null; // row and column as parts of the photograph, 0 to 1
let lit = null; // the layer and group whose map is shown

// What is asked for: a class, or how much more to it than to another one.
const asked = () => ({
  first: Number(views.class.value),
  than: views.than.value === "" ? null : Number(views.than.value),
  layer: views.layer.value === "none" ? null : Number(views.layer.value || data.layers.length - 1),
});

function difference(rows, place) {
  const { first, than } = asked();
  return than === null ? rows[first][place] : rows[first][place] - rows[than][place];
}

function paint() {
  const { first, than, layer } = asked();
  const shown = lit ?? (layer === null ? null : { layer });
  const context = canvas.getContext("2d");
  const text = document.getElementById("map");
  if (!shown) {
    canvas.width = canvas.height = 1;
    context.clearRect(0, 0, 1, 1);
    text.textContent = "";
    return;
  }
  const { name, rows, columns, spatial, groups } = data.layers[shown.layer];
  canvas.width = columns;
  canvas.height = rows;
  const pixels = context.createImageData(columns, rows);
  const places = Array.from({ length: rows * columns }, (_, place) => place);
  if (lit) {
    for (const place of places) pixels.data.set([127, 127, 127, 225 * (1 - Math.sqrt(groups[lit.group].map[place]))], 4 * place);
    text.textContent = `${name}, group ${lit.group + 1}`;
  } else {
    const values = places.map((place) => difference(spatial, place));
    const most = Math.max(...values.map(Math.abs)) || 1;
    for (const place of places) {
      const strength = Math.abs(values[place]) / most;
      pixels.data.set(values[place] > 0 ? [202, 0, 32] : [5, 113, 176], 4 * place);
      pixels.data[4 * place + 3] = 215 * Math.sqrt(strength) * Math.min(1, 0.25 + strength);
    }
    const more = than === null ? "" : `, more than to ${data.classes[than]}`;
    text.textContent = `What ${name} led to: ${data.classes[first]}${more}`;
  }
  context.putImageData(pixels, 0, 0);
}

function place(layer) {
  const row = Math.min(Math.floor(at.y * layer.rows), layer.rows - 1);
  const column = Math.min(Math.floor(at.x * layer.columns), layer.columns - 1);
  return { row, column, flat: row * layer.columns + column };
}

function bar(value, scale, color) {
  const inner = element("i", { className: value < 0 ? "minus" : "" });
  inner.style.setProperty("--w", String(Math.min(Math.abs(value) / (scale || 1), 1)));
  inner.style.setProperty("--c", color);
  return element("div", { className: "share" }, inner);
}

function unit(layer, [index, value]) {
  const path = layer.pictures[index];
  const picture = path
    ? element("img", { src: path, width: 64, height: 64, alt: "" })
    : element("span", { className: "dead", textContent: index });
  return element("li", {}, picture, element("b", { textContent: index }), element("small", { textContent: number(value) }));
}

function describe(block, layer) {
  const { row, column, flat } = place(layer);
  block.querySelector(".where").textContent = `row ${row + 1}, column ${column + 1}`;
  block.querySelector(".units").replaceChildren(...layer.positions[flat].filter(([, value]) => value > 0).map((pair) => unit(layer, pair)));
  const { first, than } = asked();
  const groups = layer.groups.map((group, index) => [index, group.map[flat]]).filter(([, share]) => share > 0.02);
  groups.sort((a, b) => b[1] - a[1]);
  const led = data.classes.map((_, index) => layer.spatial[index][flat]);
  const scale = Math.max(...layer.spatial.flat().map(Math.abs));
  const here = groups.slice(0, 4).map(([index, share]) => {
    const path = layer.groups[index].picture ?? layer.groups[index].where;
    const picture = element("img", { src: path, width: 64, height: 64, alt: "" });
    return element("li", {}, picture, element("b", { textContent: `group ${index + 1}` }), element("small", { textContent: `${Math.round(100 * share)} %` }));
  });
  block.querySelector(".here").replaceChildren(...here);
  const classes = led.flatMap((value, index) => [
    element("span", { textContent: data.classes[index], title: data.classes[index], className: index === first || index === than ? "" : "other" }),
    bar(value, scale, colors[index]),
    element("output", { textContent: decimal(value, scale) }),
  ]);
  if (than !== null) {
    classes.push(element("span", { textContent: "difference" }), bar(led[first] - led[than], scale, "var(--ink)"), element("output", { textContent: decimal(led[first] - led[than], scale) }));
  }
  block.querySelector(".shares").replaceChildren(
    ...classes,
  );
}

function show() {
  paint();
  cursor.hidden = !at;
  photo.classList.toggle("held", held);
  if (!at) return;
  const drawn = data.layers[lit?.layer ?? asked().layer ?? data.layers.length - 1];
  const { row, column } = place(drawn);
  Object.assign(cursor.style, {
    left: `${(100 * column) / drawn.columns}%`,
    top: `${(100 * row) / drawn.rows}%`,
    width: `${100 / drawn.columns}%`,
    height: `${100 / drawn.rows}%`,
  });
  document.querySelectorAll(".at").forEach((block, index) => describe(block, data.layers[index]));
}

function move(x, y) {
  at = { x: Math.min(Math.max(x, 0), 0.9999), y: Math.min(Math.max(y, 0), 0.9999) };
  show();
}

// Where the pointer is; a click holds the position.
function pointed(event) {
  const box = photo.getBoundingClientRect();
  move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
}
photo.addEventListener("pointermove", (event) => held || pointed(event));
photo.addEventListener("click", (event) => {
  held = !held || event.pointerType === "touch";
  pointed(event);
});

function announce() {
  const sentences = data.layers.map((layer) => {
    const { row, column, flat } = place(layer);
    const { first } = asked();
    const units = layer.positions[flat].map(([index]) => index).join(", ");
    return `${layer.name}, row ${row + 1}, column ${column + 1}: units ${units}; to ${data.classes[first]} ${number(layer.spatial[first][flat])}`;
  });
  document.getElementById("announced").textContent = sentences.join(". ");
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
photo.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" || event.key === " ") held = !held;
  else if (event.key === "Escape") held = false;
  else if (STEPS[event.key]) {
    const { rows, columns } = data.layers[asked().layer ?? data.layers.length - 1];
    const [right, down] = STEPS[event.key];
    const { row, column } = at ? place({ rows, columns }) : { row: rows >> 1, column: columns >> 1 };
    held = true;
    move((column + right + 0.5) / columns, (row + down + 0.5) / rows);
    announce();
  } else return;
  event.preventDefault();
  show();
});

// Groups light up on the photograph, from their cards and from the diagram.
function light(layer, group) {
  lit = layer === null ? null : { layer, group };
  show();
}
for (const card of document.querySelectorAll(".group")) {
  const on = () => light(Number(card.dataset.layer), Number(card.dataset.group));
  card.addEventListener("pointerenter", on);
  card.addEventListener("focus", on);
  card.addEventListener("pointerleave", () => light(null));
  card.addEventListener("blur", () => light(null));
}
const diagram = document.querySelector("svg.diagram");
for (const node of diagram.querySelectorAll(".node")) {
  const column = Number(node.dataset.column);
  const row = Number(node.dataset.row);
  const key = `${column}-${row}`;
  const on = () => {
    off();
    diagram.classList.add("chosen");
    node.classList.add("lit");
    for (const tie of diagram.querySelectorAll(`[data-from="${key}"], [data-to="${key}"]`)) tie.classList.add("lit");
    if (column < data.layers.length) light(column, row);
  };
  const off = () => {
    diagram.classList.remove("chosen");
    for (const each of diagram.querySelectorAll(".lit")) each.classList.remove("lit");
    light(null);
  };
  node.addEventListener("pointerenter", on);
  node.addEventListener("focus", on);
  node.addEventListener("pointerleave", off);
  node.addEventListener("blur", off);
}

// Bars of classes that were not picked step back.
function picked() {
  const { first, than } = asked();
  for (const each of document.querySelectorAll(".bars [data-class]")) {
    const index = Number(each.dataset.class);
    each.classList.toggle("dimmed", than !== null && index !== first && index !== than);
  }
  for (const each of document.querySelectorAll(".channels > [data-class]")) {
    const index = Number(each.dataset.class);
    each.hidden = index !== first && index !== than;
  }
  show();
}

at = { x: 0.5, y: 0.5 };
views.addEventListener("submit", (event) => event.preventDefault());
keptInAddress(views, { class: views.class, than: views.than, layer: views.layer }, picked);
