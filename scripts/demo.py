"""Build the demo gallery of the best network to be had here, and say which file to open."""

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
    try:
        obtain("bvlc_googlenet")
        recipe = GALLERIES / "demo.toml"
    except InputError as error:
        print(f"no checkpoint of bvlc_googlenet: {error}")
        print("so this is the network that is built in, whose weights are set by hand")
        recipe = GALLERIES / "handwritten.toml"
    print(f"open {gallery.build(recipe, out)}")


if __name__ == "__main__":
    main()
