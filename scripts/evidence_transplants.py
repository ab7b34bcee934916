"""What do handwritten curve detectors repair, over which removal, and what do simpler donors?

Puts `handwritten:curves` and the donors beside it in the place of the curve detectors of BVLC's
mixed3b, as `visioncircuits compare` does, and prints JSON: of each donor the share of the damage
that it repairs over the three removals, and how it is tuned. Photographs are evenly spaced in the
folder; fitted donors are fitted on those that they are not scored on.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import results
from visioncircuits import comparison, datasets, engine, handwritten, load
from visioncircuits.comparison.controls import BESIDE, HANDWRITTEN
from visioncircuits.interventions.repairs import BASELINES
from visioncircuits.site.report_figures import OVER
from visioncircuits.site.report_numbers import summary

MEASURES = {"cross_entropy": "cross-entropy", "divergence": "divergence"}


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photographs", required=True, help="a folder, named by WordNet ids")
    parser.add_argument("--count", type=int, default=300, help="how many of them")
    parser.add_argument("--store", type=Path, required=True, help="a folder that keeps scores")
    results.option(parser)
    options = parser.parse_args()

    given = datasets.photographs(options.photographs)
    chosen = given.part([place * len(given) // options.count for place in range(options.count)])
    found = comparison.compare(
        handwritten.curves(),
        load("bvlc_googlenet"),
        "mixed3b",
        "curve",
        chosen,
        store=engine.Store(options.store),
        progress=True,
    )
    numbers = summary(found)
    print(json.dumps(numbers, indent=1))
    results.write(options.json, rows(numbers))


def rows(numbers: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table, the strictest removal first."""
    strictest = numbers["strictest"]
    order = sorted(numbers["repair_over"], key=lambda name: name != strictest)
    table = []
    for donor in (HANDWRITTEN, *BESIDE, *BASELINES):
        row: dict[str, results.Cell] = {"in their place": donor}
        for over in order:
            for measure, name in MEASURES.items():
                mean, low, high = (
                    f"{100 * share:.0f}".replace("-", "−")
                    for share in numbers["repair_over"][over][donor][measure]
                )
                between = f" ({low} to {high})" if over == strictest else ""
                row[f"{name}, over {OVER[over]}"] = f"{mean} %{between}"
        tuned = numbers["selectivity"].get(donor, {})
        for name, title in (
            ("surface", "tuning, r"),
            ("echo", "echo"),
            ("lines", "lines over curves"),
        ):
            row[title] = round(tuned[name], 2) if name in tuned else None
        table.append(row)
    return table


if __name__ == "__main__":
    main()
