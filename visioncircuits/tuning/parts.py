"""The parts of an unfinished measurement, on disk."""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from visioncircuits import files
from visioncircuits.engine import Store


class Parts:
    """The finished parts of a measurement, in a folder beside its file."""

    def __init__(self, path: Path, record: Mapping[str, Any]) -> None:
        self.folder = path.with_name(files.PART + path.name + "s")
        self.record = record
        self.store = Store(self.folder)

    def get(self, start: int, stop: int) -> np.ndarray | None:
        """Return the responses to a run of stimuli, or None where they are not stored."""
        part = self.store.path(self._work(start, stop)) / "responses.npy"
        try:
            return np.load(part, allow_pickle=False) if part.is_file() else None
        except (ValueError, EOFError):
            return None  # damaged, so measured again

    def add(self, start: int, stop: int, responses: np.ndarray) -> None:
        """Store the responses to a run of stimuli."""
        buffer = io.BytesIO()
        np.save(buffer, responses, allow_pickle=False)
        self.store.add(self._work(start, stop), {"responses.npy": buffer.getvalue()})

    def remove(self) -> None:
        """Delete them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _work(self, start: int, stop: int) -> dict[str, Any]:
        return {**self.record, "start": start, "stop": stop}
