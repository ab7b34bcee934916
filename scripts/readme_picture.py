"""Render the README's picture: a family of curve detectors, and a unit of every depth."""

import argparse
from pathlib import Path

from PIL import Image

from visioncircuits.featurevis import render_all
from visioncircuits.networks import load

CURVES = [358, 336, 368, 386, 346, 324, 413, 408, 398, 321, 326, 335]
DEPTHS = [
    "conv2d0:17",
    "conv2d2:16",
    "mixed3a:69",
    "mixed4a:370",
    "mixed4b:497",
    "mixed4c:344",
    "mixed4d:299",
    "mixed5a:112",
]
TILE, GAP = 160, 4


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the picture, .png")
    out = parser.parse_args().out
    network = load("bvlc_googlenet")
    rows = [[f"mixed3b:{unit}" for unit in CURVES], DEPTHS]
    pictures = [list(render_all(network, row, progress=True)) for row in rows]
    # Six to a row above, and the eight below at the same width.
    width = 6 * TILE + 5 * GAP
    small = (width - 7 * GAP) // 8
    sheet = Image.new("RGB", (width, 2 * TILE + small + 2 * GAP), "white")
    for place, picture in enumerate(pictures[0]):
        tile = picture.image().resize((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (place % 6 * (TILE + GAP), place // 6 * (TILE + GAP)))
    for place, picture in enumerate(pictures[1]):
        tiny = picture.picture.shape[1] < 40
        how = Image.Resampling.NEAREST if tiny else Image.Resampling.LANCZOS
        tile = picture.image().resize((small, small), how)
        sheet.paste(tile, (place * (small + GAP), 2 * (TILE + GAP)))
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)


if __name__ == "__main__":
    main()
