"""Joining the examples of parts of the photographs, one part after another."""

from collections.abc import Iterable, Mapping
from typing import Any

from visioncircuits.examples import exact
from visioncircuits.examples.record import Examples, LayerExamples, needed
from visioncircuits.examples.sampling import Growing


def join(pieces: Iterable[Examples], record: Mapping[str, Any]) -> Examples:
    """Return the examples of all pieces, which must not share pictures.

    The same to the byte however pieces are joined before, if their order remains.

    Parameters
    ----------
    pieces
        Those without a readable picture may have no layers.
    record
        Of the result, and how its pieces were collected.
    """
    layers: dict[str, _Layer] = {}
    names: dict[int, str] = {}
    skipped: list[str] = []
    seen = 0
    for piece in pieces:
        for name, layer in piece.layers.items():
            if name in layers:
                layers[name].add(layer)
            else:
                layers[name] = _Layer(layer, record["top"])
        names |= piece.names
        skipped += piece.skipped
        seen += piece.seen
    order = [*record["layers"], *record["directions"]]
    joined = {name: layers[name].examples() for name in order if name in layers}
    return Examples(joined, needed(names, joined.values()), seen, tuple(skipped), record)


class _Layer:
    """The examples of one layer so far."""

    def __init__(self, first: LayerExamples, top: int) -> None:
        self._top = top
        self._tops, self._bottoms = first.tops, first.bottoms
        self._sample = Growing(first.sample, len(first.counts))
        self._counts, self._moments = first.counts.copy(), first.moments
        self._classes = dict(first.classes)

    def add(self, other: LayerExamples) -> None:
        """Add the examples of another piece."""
        self._tops = self._tops.joined(other.tops, self._top)
        self._bottoms = self._bottoms.joined(other.bottoms, self._top, sign=-1)
        self._sample.add(other.sample)
        self._counts += other.counts
        self._moments = self._moments.joined(other.moments)
        for label, sums in other.classes.items():
            exact.add_to(self._classes, label, sums)

    def examples(self) -> LayerExamples:
        """Return the examples of all pieces."""
        return LayerExamples(
            self._tops,
            self._bottoms,
            self._sample.sample(),
            self._counts,
            self._moments,
            self._classes,
        )
