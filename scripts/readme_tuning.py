"""Draw the README's pictures of tuning: a family as radial tuning curves, and two verdicts."""

import argparse
from pathlib import Path

from PIL import Image

from visioncircuits.engine import progress
from visioncircuits.featurevis import objectives, render_all
from visioncircuits.networks import load
from visioncircuits.stimuli import named
from visioncircuits.tuning import find, judge, measure, radial_panel, save_plot, verdict_panel

STEPS, WIDTH = 256, 900
CURVE, NO_CURVE = "mixed3b:413", "mixed3b:337"


def main() -> None:
    """Write `radial.png` and `verdicts.png`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the folder for them")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    network = load("bvlc_googlenet")

    family = find(network, "curves", "mixed3b")["unit"].tolist()
    print("curve detectors:", ", ".join(family))
    with progress("steps", STEPS * len(family)) as advance:
        pictures = render_all(network, map(objectives.neuron, family), progress=advance)
        thumbnails = {picture.feature: picture.image() for picture in pictures}
    panel = radial_panel(measure(network, family, named("curves")), thumbnails)
    save_plot(panel, out / "radial.png")
    _shrink(out / "radial.png", WIDTH)

    parts = []
    for place, unit in enumerate((CURVE, NO_CURVE)):
        path = out / f"verdict-{place}.png"
        save_plot(verdict_panel(judge(network, "curve", unit)), path)
        with Image.open(path) as image:
            parts.append(image.convert("RGB"))
        path.unlink()
    whole = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)), "white")
    for place, part in enumerate(parts):
        whole.paste(part, (0, place * parts[0].height))
    whole.save(out / "verdicts.png")
    _shrink(out / "verdicts.png", 1400)


def _shrink(path: Path, width: int) -> None:
    with Image.open(path) as image:
        height = round(image.height * width / image.width)
        small = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    small.quantize(192).save(path, optimize=True)


if __name__ == "__main__":
    main()
