// Tiled pictures on a plane: those in view are loaded, and what was shown stays until they are there.
"use strict";

function tilesOn(ground, plane) {
  let layers = []; // the last is wanted, the others are shown until it is there

  // Tiles of a layer are `span` wide as parts of the plane; `path` returns null where there is none.
  function draw({ key, span, path }) {
    if (layers.at(-1)?.key !== key) {
      const known = layers.find((layer) => layer.key === key);
      const layer = known ?? { key, div: document.createElement("div"), tiles: new Map(), side: 0 };
      layers = [...layers.filter((each) => each !== layer), layer].slice(-4);
      ground.replaceChildren(...layers.map(({ div }) => div));
    }
    const layer = layers.at(-1);
    Object.assign(layer, { span });
    layer.div.className = "layer";
    choose(layer, path);
    for (const each of layers) place(each);
    settle();
  }

  // Drop what is out of view, and add what is in view.
  function choose({ tiles, div, span }, path) {
    const { width, height } = plane.size();
    const from = plane.placeAt({ x: 0, y: 0 });
    const to = plane.placeAt({ x: width, y: height });
    const range = (least, most) => [Math.max(Math.floor(least / span), 0), Math.min(Math.ceil(most / span), Math.ceil(1 / span - 1e-9))];
    const [top, bottom] = range(from.y, to.y);
    const [left, right] = range(from.x, to.x);
    for (const [name, { image, row, column }] of tiles) {
      if (row >= top && row < bottom && column >= left && column < right) continue;
      image.remove();
      tiles.delete(name);
    }
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const name = `${row}-${column}`;
        const source = tiles.has(name) ? null : path(row, column);
        if (!source) continue;
        const image = Object.assign(new Image(), { alt: "", draggable: false, decoding: "async" });
        image.onload = image.onerror = () => {
          image.classList.add("loaded");
          settle();
        };
        image.src = source;
        tiles.set(name, { image, row, column, side: 0 });
        div.append(image);
      }
    }
  }

  // Whole pixels, the same for tiles that share an edge: no seams, and nothing changes in a drag.
  function place({ tiles, span }) {
    const side = plane.side();
    const edge = (at) => Math.round(at * span * side);
    for (const tile of tiles.values()) {
      if (tile.side === side) continue;
      tile.side = side;
      const { image, row, column } = tile;
      const [top, left] = [edge(row), edge(column)];
      image.style.cssText = `top:${top}px;left:${left}px;width:${edge(column + 1) - left}px;height:${edge(row + 1) - top}px`;
    }
  }

  let dropping = 0;
  function settle() {
    clearTimeout(dropping);
    const loaded = [...layers.at(-1).tiles.values()].every(({ image }) => image.classList.contains("loaded"));
    if (layers.length === 1 || !loaded) return;
    dropping = setTimeout(() => {
      for (const { div } of layers.slice(0, -1)) div.remove();
      layers = layers.slice(-1);
    }, still.matches ? 0 : 200); // as long as a picture fades in
  }

  return { draw };
}
