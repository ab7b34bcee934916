"""Build the demo gallery of BVLC's GoogLeNet, and say which file to open."""

import argparse
import sys
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
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        print(
            "A network whose weights are set by hand will need no checkpoint; it is not there yet.",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
    site = gallery.build(GALLERIES / "demo.toml", out)
    print(f"open {site}")


if __name__ == "__main__":
    main()
