"""What is finished of one kind of evidence, and which of it a site shows."""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from visioncircuits.engine import Store, Work
from visioncircuits.gallery import plan
from visioncircuits.gallery.evidence.kind import Kind
from visioncircuits.networks import Feature, parse


class Finished:
    """The finished work on a kind of evidence in a site's folder."""

    def __init__(self, kind: Kind, out: Path) -> None:
        self._kind, self._out = kind, out
        self._store = Store(out / kind.name)
        self._works = plan.index(self._store.finished())
        self._used: dict[Path, Work] = {}

    def read(
        self, requests: Sequence[Work], *, among: Container[Feature] | None = None
    ) -> dict[Feature, tuple[Any, ...]]:
        """Read what was requested, by feature: of those `among`, by default of all."""
        found: dict[Feature, tuple[Any, ...]] = {}
        for request in requests:
            folders: dict[Path, list[Feature]] = {}
            for record in request["features"]:
                feature = parse(record)
                shown = among is None or feature in among
                work = self._works.get(plan.key(request, record)) if shown else None
                if work is not None:
                    folder = self._store.path(work)
                    self._used[folder] = work
                    folders.setdefault(folder, []).append(feature)
            for folder, features in folders.items():
                for feature, items in self._kind.read(request, features, folder, self._out).items():
                    found[feature] = (*found.get(feature, ()), *items)
        return found

    def keep_used(self) -> None:
        """Remove the work of which nothing was read."""
        self._store.keep(list(self._used.values()))
