"""Does BVLC's GoogLeNet as loaded here compute what Caffe did?

Compares with activations of every stage that were recorded in Caffe and lie beside the checkpoint,
as `visioncircuits networks verify bvlc_googlenet` does. Prints JSON: of each stage the largest
difference, as a fraction of the stage's maximum.
"""

import argparse
import json

import results
from visioncircuits.networks import Verification, load, verify


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    results.option(parser)
    options = parser.parse_args()

    found = rows(verify(load("bvlc_googlenet")))
    print(json.dumps(found, indent=1))
    results.write(options.json, found)


def rows(found: Verification) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    return [{"stage": each.name, "error": float(f"{each.error:.1e}")} for each in found.checks]


if __name__ == "__main__":
    main()
