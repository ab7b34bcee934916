// Keys and buttons of an atlas, and the address, which leads back to a view.
"use strict";

// A held cell in view stays where it is.
function zoom(factor) {
  if (!factor) return plane.go({ x: 0.5, y: 0.5, zoom: 1 });
  const { width, height } = plane.size();
  const at = held ? placed(held) : plane.view;
  const x = width / 2 + (at.x - plane.view.x) * plane.side();
  const y = height / 2 + (at.y - plane.view.y) * plane.side();
  const inside = x >= 0 && y >= 0 && x <= width && y <= height;
  plane.go(plane.zoomed(factor, inside ? { x, y } : { x: width / 2, y: height / 2 }));
}
document.querySelector(".zooms").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) zoom(Number(button.dataset.zoom));
});

function step(right, down) {
  const { x, y } = current() ? placed(current()) : plane.view;
  const at = beyond(grid, { row: Math.floor(y * grid.side), column: Math.floor(x * grid.side) }, right, down);
  if (!at) return;
  const to = placed(at);
  const { width, height } = plane.size();
  const into = (from, place, extent) => {
    const reach = Math.max(extent / 2 / plane.side() - 1 / grid.side, 0);
    return clamped(from, place - reach, place + reach);
  };
  plane.go({ x: into(plane.view.x, to.x, width), y: into(plane.view.y, to.y, height) });
  hold(at, { spoken: true });
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
map.addEventListener("keydown", (event) => {
  if (!plain(event) || !sheet) return;
  const [right, down] = STEPS[event.key] ?? [];
  const part = 120 / plane.side();
  if (STEPS[event.key] && event.shiftKey) plane.go({ x: plane.view.x + right * part, y: plane.view.y + down * part });
  else if (STEPS[event.key]) step(right, down);
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

let addressed = 0;
function requestAddress() {
  clearTimeout(addressed);
  addressed = setTimeout(() => {
    const { x, y, zoom } = plane.view;
    const place = held && placed(held);
    const kept = {
      sheet: state.sheet && data.sheets[state.sheet].name,
      grid: state.density,
      class: state.class,
      than: state.than,
      cell: place && [place.side, place.row + 1, place.column + 1].join("-"),
      at: zoom > 1 && [x.toFixed(4), y.toFixed(4), zoom.toFixed(3)].join("_"),
    };
    const text = new URLSearchParams(Object.entries(kept).filter(([, value]) => value)).toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }, 250);
}

async function read() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const sides = [...views.density.options].map(({ value }) => value);
  views.density.value = sides.includes(kept.get("grid")) ? kept.get("grid") : "";
  Object.assign(state, {
    sheet: Math.max(data.sheets.findIndex(({ name }) => name === kept.get("sheet")), 0),
    density: Number(views.density.value),
    class: kept.get("class") ?? "",
    than: kept.get("class") ? (kept.get("than") ?? "") : "",
  });
  await update(() => {
    const [x, y, zoom] = (kept.get("at") ?? "0.5_0.5_1").split("_").map(Number);
    const [side, row, column] = (kept.get("cell") ?? "").split("-").map(Number);
    held = cellIn(sheet.grids.find((each) => each.side === side), row - 1, column - 1);
    if (held && !kept.has("at")) plane.set(closeTo(held));
    else if (Number.isFinite(x + y + zoom)) plane.set({ x, y, zoom });
  });
}
window.addEventListener("hashchange", read);
read();
