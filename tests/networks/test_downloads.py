import hashlib
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from visioncircuits.networks.downloads import Source, Unavailable, download, fingerprint

CONTENT = bytes(range(256)) * 1000
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def test_the_fingerprint_of_a_git_blob_is_gits(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    git = subprocess.run(["git", "hash-object", path], capture_output=True, text=True, check=True)
    assert fingerprint(path, algorithm="git-blob") == f"git-blob:{git.stdout.strip()}"


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "git-blob"])
def test_the_published_file_is_downloaded(
    tmp_path: Path,
    loopback: Any,
    algorithm: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "original").write_bytes(CONTENT)
    published = fingerprint(tmp_path / "original", algorithm=algorithm)
    loopback.files["a/net.pth"] = CONTENT
    path = download(Source(f"{loopback.url}/a/net.pth", published), tmp_path)
    assert path == tmp_path / "net.pth"
    assert path.read_bytes() == CONTENT
    shown = capsys.readouterr()
    assert "net.pth" in shown.err
    assert "256.0/256.0 kB" in shown.err
    assert shown.out == ""


def test_another_file_than_the_published_one_raises_and_is_removed(
    tmp_path: Path, loopback: Any
) -> None:
    loopback.files["net.pth"] = CONTENT[:-1] + b"?"
    with pytest.raises(Unavailable, match="not the published file but sha256:"):
        download(Source(f"{loopback.url}/net.pth", SHA256), tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_download_raises_and_is_complete_the_next_time(
    tmp_path: Path, loopback: Any
) -> None:
    loopback.files["net.pth"] = CONTENT
    with pytest.raises(Unavailable, match=r"^ChunkedEncodingError$"):
        download(Source(f"{loopback.url}/net.pth?cut", SHA256), tmp_path)
    path = download(Source(f"{loopback.url}/net.pth", SHA256), tmp_path)
    assert path.read_bytes() == CONTENT


def test_an_error_of_the_server_is_named(tmp_path: Path, loopback: Any) -> None:
    with pytest.raises(Unavailable, match=r"^HTTP 404$"):
        download(Source(f"{loopback.url}/net.pth", SHA256), tmp_path)


def test_an_unreachable_server_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/net.pth"
        with pytest.raises(Unavailable, match=r"^ConnectionError$"):
            download(Source(url, SHA256), tmp_path)


def test_a_folder_that_cannot_be_written_raises(tmp_path: Path, loopback: Any) -> None:
    loopback.files["net.pth"] = CONTENT
    with pytest.raises(Unavailable, match="No such file or directory"):
        download(Source(f"{loopback.url}/net.pth", SHA256), tmp_path / "absent")
