"""Build the demo gallery, of BVLC's GoogLeNet where it is to be had, and say what to open."""

import argparse
from pathlib import Path

from visioncircuits import gallery
from visioncircuits.errors import InputError
from visioncircuits.networks.checkpoints import obtain

GALLERIES = Path(__file__).resolve().parent.parent / "galleries"


def main() -> None:
    """Build it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the site's folder")
    out = parser.parse_args().out
    recipe = "demo.toml"
    try:
        obtain("bvlc_googlenet")
    except InputError as error:
        print(f"{error}\nThe curve network, written by hand, needs none: here it is instead.\n")
        recipe = "handwritten.toml"
    site = gallery.build(GALLERIES / recipe, out)
    print(f"open {site}")


if __name__ == "__main__":
    main()
