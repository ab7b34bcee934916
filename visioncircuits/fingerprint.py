"""Digests of the code and of files, which results depend on beside their settings."""

import hashlib
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def code() -> str:
    """Return the SHA-256 of the package's sources, which identifies the version of results.

    The thread's articles are left out: what they measure is keyed by `of_article` too.

    Examples
    --------
    >>> len(code())
    64
    """
    sources = [path for suffix in ("py", "json") for path in _PACKAGE.rglob(f"*.{suffix}")]
    articles = _PACKAGE / "thread" / "articles"
    return content((path for path in sources if articles not in path.parents), root=_PACKAGE)


def of_article(module: str) -> str:
    """Compute the SHA-256 of the sources of the article that a module belongs to.

    Parameters
    ----------
    module
        The name of an imported module: the article's own, or one in its folder.
    """
    path = Path(str(sys.modules[".".join(module.split(".")[:4])].__file__))
    return content(path.parent.glob("*.py") if path.name == "__init__.py" else [path])


def content(paths: Iterable[Path], *, root: Path | None = None) -> str:
    """Return the SHA-256 of files' names and bytes, independent of their folder and order.

    Parameters
    ----------
    paths
        Of files.
    root
        Names are relative to this; by default they are the files' own.

    Examples
    --------
    >>> import tempfile
    >>> here, there = Path(tempfile.mkdtemp()) / "a.txt", Path(tempfile.mkdtemp()) / "a.txt"
    >>> here.write_text("same"), there.write_text("same")
    (4, 4)
    >>> content([here]) == content([there])
    True
    """
    files = list(paths)
    names = [path.relative_to(root).as_posix() if root else path.name for path in files]
    return of_named(names, of_files(files))


def of_named(names: Iterable[str], shas: Iterable[str]) -> str:
    """Return the SHA-256 of names and the digests of what they name, in whatever order."""
    lines = sorted(zip(names, shas, strict=True))
    return hashlib.sha256("\n".join(f"{sha} {name}" for name, sha in lines).encode()).hexdigest()


def of_files(paths: Sequence[Path]) -> list[str]:
    """Return each file's SHA-256, read on threads."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(of_file, paths))


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; "" where it cannot be read, as its reader raises."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
