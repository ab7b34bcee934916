"""Downloading a published file and verifying that it is the one that was published."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

TIMEOUT = (10, 60)  # seconds to connect, and without a byte


class Unavailable(Exception):
    """A source cannot be used; another may."""


@dataclass(frozen=True)
class Source:
    """Where a file is published.

    Attributes
    ----------
    url
        The file.
    fingerprint
        Expected: `sha256:…`, `sha1:…` or `git-blob:…`, as `fingerprint` returns it.
    """

    url: str
    fingerprint: str

    @property
    def file_name(self) -> str:
        """The name under which the file is published."""
        return PurePosixPath(urlsplit(self.url).path).name


def fingerprint(path: Path, *, algorithm: str = "sha256") -> str:
    r"""Compute `ALGORITHM:HEX` of a file.

    Parameters
    ----------
    algorithm
        One of hashlib's, or `git-blob`: the name of the file in git, a SHA-1 of `"blob"`, a
        space, the size in decimal, a NUL and the content.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "hello"
    ...     _ = path.write_bytes(b"hello\n")
    ...     fingerprint(path, algorithm="git-blob")
    'git-blob:ce013625030ba8dba906f756967f9e9ca394464a'
    """
    digest = hashlib.new("sha1" if algorithm == "git-blob" else algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        if algorithm == "git-blob":
            digest.update(b"blob %d\0" % path.stat().st_size)
        hashlib.file_digest(file, lambda: digest)
    return f"{algorithm}:{digest.hexdigest()}"


def download(source: Source, folder: Path) -> Path:
    """Download a file into `folder` under its own name, showing progress on standard error.

    Raises
    ------
    Unavailable
        Where it cannot be reached, is incomplete, or is not the file that was published.
    """
    import pooch  # takes a tenth of a second to import

    path = folder / source.file_name
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    try:
        with progress:
            fetch = pooch.HTTPDownloader(
                progressbar=_Bar(progress, path.name), chunk_size=1 << 16, timeout=TIMEOUT
            )
            fetch(source.url, str(path), None)
    except OSError as error:  # as those of requests are
        raise Unavailable(_reason(error)) from error
    algorithm = source.fingerprint.partition(":")[0]
    if (got := fingerprint(path, algorithm=algorithm)) != source.fingerprint:
        path.unlink()
        raise Unavailable(f"the content is not the published file but {got}")
    return path


class _Bar:
    """A progress bar of rich with the interface that pooch expects."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, visible=False)

    @property
    def total(self) -> float | None:
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, total: int) -> None:
        # Set when the download begins; 0 where the server does not state it.
        self._progress.update(self._task, total=total or None, visible=True)

    def update(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self._progress.stop_task(self._task)


def _reason(error: OSError) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    # The message of requests about a lost connection is a page long; its name is enough.
    return error.strerror or type(error).__name__
