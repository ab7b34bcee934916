// A window on a square plane: where it is and how large, moved by mouse, wheel, fingers and calls.
"use strict";

const clamped = (value, least, most) => Math.min(Math.max(value, least), most);
const still = matchMedia("(prefers-reduced-motion: reduce)");

// `changed` is called with each move, `most` is the largest side of the plane in pixels,
// `pointed` gets a place in [0, 1] under a mouse, or null, and `tapped` one that was clicked.
function planeIn(frame, { changed, most, pointed, tapped }) {
  const view = { x: 0.5, y: 0.5, zoom: 1 }; // the plane's place in the middle, and size over fitting
  let width = frame.clientWidth;
  let height = frame.clientHeight;
  let animation = 0;

  const fitting = () => Math.max(Math.min(width, height), 1);
  const side = () => fitting() * view.zoom;

  function limited({ x, y, zoom }) {
    zoom = clamped(zoom, 1, Math.max(most / fitting(), 1));
    const within = (at, extent) => {
      const reach = Math.max(0.5 - extent / (2 * fitting() * zoom), 0);
      return clamped(at, 0.5 - reach, 0.5 + reach);
    };
    return { x: within(x, width), y: within(y, height), zoom };
  }

  function set(wanted) {
    Object.assign(view, limited(wanted));
    changed();
  }

  function stop() {
    cancelAnimationFrame(animation);
    animation = 0;
  }

  // Move there in a quarter of a second; a place that both ends show at one point stays there.
  function go(wanted) {
    stop();
    const from = { ...view };
    const to = limited({ ...view, ...wanted });
    if (still.matches) return set(to);
    const begin = performance.now();
    const step = (now) => {
      const time = clamped((now - begin) / 250, 0, 1);
      const part = time * time * (3 - 2 * time);
      const zoom = from.zoom * (to.zoom / from.zoom) ** part;
      const along = Math.abs(to.zoom / from.zoom - 1) < 1e-6 ? part : (1 / zoom - 1 / from.zoom) / (1 / to.zoom - 1 / from.zoom);
      set({ x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along, zoom });
      animation = time < 1 ? requestAnimationFrame(step) : 0;
    };
    animation = requestAnimationFrame(step);
  }

  const local = (event) => {
    const box = frame.getBoundingClientRect();
    return { x: event.clientX - box.left - frame.clientLeft, y: event.clientY - box.top - frame.clientTop };
  };
  const placeAt = ({ x, y }) => ({ x: view.x + (x - width / 2) / side(), y: view.y + (y - height / 2) / side() });

  // What is at `from` in the window comes to lie at `to`.
  function zoomed(factor, from, to = from) {
    const place = placeAt(from);
    const { zoom } = limited({ ...view, zoom: view.zoom * factor });
    const after = fitting() * zoom;
    return { x: place.x - (to.x - width / 2) / after, y: place.y - (to.y - height / 2) / after, zoom };
  }

  frame.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      stop();
      const pixels = event.deltaY * [1, 33, 400][event.deltaMode];
      set(zoomed(2 ** (-clamped(pixels, -240, 240) / (event.ctrlKey ? 100 : 240)), local(event)));
      pointed(placeAt(local(event)));
    },
    { passive: false },
  );

  const pointers = new Map();
  let moved = false;
  let began = null;
  const middle = () => {
    const all = [...pointers.values()];
    const sum = all.reduce((a, b) => ({ x: a.x + b.x, y: a.y + b.y }));
    const spread = all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 1;
    return { at: { x: sum.x / all.length, y: sum.y / all.length }, spread: spread || 1 };
  };

  frame.addEventListener("pointerdown", (event) => {
    if (event.button || pointers.size === 2) return;
    stop();
    frame.setPointerCapture(event.pointerId);
    moved = pointers.size > 0;
    began = local(event);
    pointers.set(event.pointerId, began);
  });
  frame.addEventListener("pointermove", (event) => {
    const at = local(event);
    if (!pointers.has(event.pointerId)) {
      if (event.pointerType !== "touch") pointed(placeAt(at));
      return;
    }
    moved ||= Math.hypot(at.x - began.x, at.y - began.y) > 5;
    if (!moved) return;
    frame.classList.add("dragged");
    const before = middle();
    pointers.set(event.pointerId, at);
    const after = middle();
    set(zoomed(after.spread / before.spread, before.at, after.at));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    frame.addEventListener(name, (event) => {
      if (!pointers.delete(event.pointerId) || pointers.size) return;
      frame.classList.remove("dragged");
      if (name === "pointerup" && !moved) tapped(placeAt(local(event)));
    });
  }
  frame.addEventListener("pointerleave", () => pointers.size || pointed(null));
  frame.addEventListener("dblclick", (event) => go(zoomed(2, local(event))));

  new ResizeObserver(() => {
    width = frame.clientWidth;
    height = frame.clientHeight;
    set(view);
  }).observe(frame);

  return { view, go, set, side, fitting, placeAt, zoomed, size: () => ({ width, height }) };
}
