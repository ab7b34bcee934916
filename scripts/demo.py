"""Build the demo gallery, of BVLC's GoogLeNet where it can be had, and print what to open."""

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
    parser.add_argument("--verbose", action="store_true", help="print why a download failed")
    given = parser.parse_args()
    recipe = "demo.toml"
    try:
        obtain("bvlc_googlenet")
    except InputError as error:
        print(
            "No checkpoint of BVLC's GoogLeNet was found or could be downloaded: here is the curve "
            "network instead, written by hand."
        )
        if given.verbose:
            print(error, *getattr(error, "__notes__", ()), sep="\n")
        recipe = "handwritten.toml"
    site = gallery.build(GALLERIES / recipe, given.out, progress=True)
    print(f"open {site}")


if __name__ == "__main__":
    main()
