"""What does a convolutional layer hold of curves, and does a dictionary find it?

Runs the two parts of the thread's article "Toy models of superposition" that are about curves, and
prints JSON: what was found, and the controls. Takes minutes; with --quick, one.
"""

import argparse
import json
import tempfile
from pathlib import Path

import results
from visioncircuits import networks
from visioncircuits.thread import Row, Study
from visioncircuits.thread.articles.toy_models.curves import curves, dictionaries


def main() -> None:
    """Train, measure, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 seeds, fewer steps")
    results.option(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = Study(networks.load("handwritten:lines"), Path(folder), quick=options.quick)
        every = [each for part in (curves, dictionaries) for each in part.test(study)]
    report = [row(each) for each in every if isinstance(each, Row)]
    print(json.dumps(report, indent=1, ensure_ascii=False))
    results.write(options.json, report)


def row(found: Row) -> dict[str, results.Cell]:
    """Return what the page's table has of a claim."""
    return {
        "claim": found.claim,
        "found": found.measured,
        "interval": found.interval,
        "controls": "; ".join(f"{each.name}: {each.measured}" for each in found.controls),
        "verdict": found.status,
    }


if __name__ == "__main__":
    main()
