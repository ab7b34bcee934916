"""Draw the README's picture of two verdicts; its others come from `visioncircuits reproduce`."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from visioncircuits.hypotheses import judge, verdict_panel
from visioncircuits.networks import load

CURVE, NO_CURVE = "mixed3b:413", "mixed3b:337"
WIDTH = 1400


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="such as docs/verdicts.png")
    out = parser.parse_args().out
    network = load("bvlc_googlenet")
    parts = []
    with TemporaryDirectory() as folder:
        for unit in (CURVE, NO_CURVE):
            path = Path(folder) / "verdict.png"
            verdict_panel(judge(network, unit, "curve")).save(path)
            with Image.open(path) as image:
                parts.append(image.convert("RGB"))
    height = sum(part.height for part in parts)
    whole = Image.new("RGB", (parts[0].width, height), "white")
    for place, part in enumerate(parts):
        whole.paste(part, (0, place * parts[0].height))
    small = whole.resize((WIDTH, round(height * WIDTH / whole.width)), Image.Resampling.LANCZOS)
    small.quantize(192).save(out, optimize=True)


if __name__ == "__main__":
    main()
