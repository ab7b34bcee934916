"""The report of a discovered circuit: one page that opens from a disk, and its numbers as JSON."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from visioncircuits import __version__, circuits, files
from visioncircuits.circuits.evaluation import KINDS
from visioncircuits.circuits.keeping import MEASURES
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network
from visioncircuits.site import pages
from visioncircuits.site.report_figures import rendered

ABLATED = {
    "zero": "set to zero",
    "mean": "at their mean",
    "resample": "those of another photograph",
}
"""What edges outside a circuit carry, by ablation."""

ROWS = 500
"""Edges in the page's table; all of the circuit's are in its file."""

MOST = 10
"""Features of a layer in a diagram."""


def sizes(circuit: circuits.Circuit) -> list[int]:
    """Return the numbers of edges at which a circuit is drawn: the first few, more, and all.

    Examples
    --------
    >>> edges = [(f"a:{number}", "b:0") for number in range(40)]
    >>> sizes(circuits.Circuit("b:0", ("a", "b"), edges))
    [10, 25, 40]
    """
    count = len(circuit.edges)
    return sorted({min(each, count) for each in (10, 25, count)})


def first(circuit: circuits.Circuit, count: int) -> circuits.Circuit:
    """Return the circuit of the first edges."""
    return circuits.Circuit(
        circuit.target, circuit.places, circuit.edges[:count], circuit.directions
    )


def features(network: Network, circuit: circuits.Circuit) -> list[Feature]:
    """Return the features that the page's diagrams show, which pictures are wanted of."""
    found: dict[str, Feature] = {}
    for count in sizes(circuit):
        for each in circuits.shown(network, first(circuit, count), most=MOST).features:
            found[str(each)] = each
    return list(found.values())


def write(
    network: Network,
    found: circuits.CircuitDiscovery,
    pictures: Mapping[str, Image.Image],
    out: Path,
) -> Path:
    """Write the page of a discovered circuit, the circuit, and every number.

    Parameters
    ----------
    network
        That it is of.
    found
        As `circuits.discover` returns it.
    pictures
        Of features, by name.
    out
        The report's folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        Where a file cannot be written.
    """
    circuit, numbers = found.circuit, summary(found)
    diagrams = []
    for count in sizes(circuit):
        part = first(circuit, count)
        try:
            drawn = circuits.diagram(network, part, pictures, most=MOST)
        except InputError:  # its edges are of rests alone, which have no kernels
            continue
        files.write(out / "figures" / f"circuit-{count}.svg", drawn.encode())
        diagrams.append((count, Markup(drawn)))
    for measure in MEASURES:
        figure = circuits.curves_panel(found.curves, measure=measure)
        files.write(out / "figures" / f"{measure}.svg", rendered(figure, "svg"))
    files.write(out / "assets" / "gallery.css", pages.asset("gallery.css"))
    circuit.save(out / "circuit.json")
    files.write(out / "numbers.json", json.dumps(numbers, indent=1).encode())
    page = pages.render(
        "circuit.html",
        network=network,
        circuit=circuit,
        scores=found.scores,
        numbers=numbers,
        diagrams=diagrams,
        ablated=ABLATED,
        rows=numbers["edges"][:ROWS],
        most=MOST,
        version=__version__,
    )
    files.write(out / "index.html", page.encode())
    return out / "index.html"


def summary(found: circuits.CircuitDiscovery) -> dict[str, Any]:
    """Return every number of a page as plain data."""
    circuit, scores, evaluation = found.circuit, found.scores, found.evaluation
    ablations = [str(each) for each in evaluation["ablation"].values]
    numbers = scores.candidates.numbers
    lost = evaluation["worth"].sel(ablation=scores.ablation).values
    return {
        "target": str(circuit.target),
        "places": list(circuit.places),
        "candidates": len(scores.size),
        "nodes": {place: len(nodes) for place, nodes in circuit.nodes.items()},
        "areas": {
            ablation: {
                kind: dict(zip(areas, _numbers(areas.values()), strict=True))
                for kind, areas in kinds.items()
            }
            for ablation, kinds in circuits.areas(found.curves).items()
        },
        "evaluation": {
            ablation: {
                name: _numbers(evaluation[name].sel(ablation=ablation).values)
                for name in (*MEASURES, "complement", *KINDS[1:])
            }
            for ablation in ablations
        },
        "curves": {
            "size": found.curves["size"].values.tolist(),
            **{
                measure: {
                    ablation: {
                        kind: found.curves[measure]
                        .sel(ablation=ablation, kind=kind)
                        .values.tolist()
                        for kind in KINDS
                    }
                    for ablation in ablations
                }
                for measure, each in ((name, found.curves[name]) for name in MEASURES)
            },
        },
        "edges": [
            {
                "source": edge.source,
                "target": edge.target,
                "effect": float(scores.effect[numbers[edge]]),
                "size": float(scores.size[numbers[edge]]),
                "worth": worth,
            }
            for edge, worth in zip(circuit.edges, _numbers(lost), strict=True)
        ],
        "record": dict(circuit.record),
    }


def _numbers(values: Iterable[float]) -> list[float | None]:
    """Return None for what was not tried, or could not be: JSON has no NaN."""
    return [None if np.isnan(value) else float(value) for value in values]
