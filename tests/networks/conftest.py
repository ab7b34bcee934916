import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from visioncircuits.networks import checkpoints


@pytest.fixture
def nothing_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of checkpoints and an empty cache; nothing may be downloaded."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv(checkpoints.FOLDER, str(folder))
    monkeypatch.setenv(checkpoints.OFFLINE, "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@dataclass
class Loopback:
    """A web server on this machine, and the requests that it received."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """Serve `files` by path; `?cut` ends halfway and `?hang` sends nothing from there."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, manner = self.path[1:].partition("?")
            loopback.requests.append(self.path[1:])
            if path not in loopback.files:
                self.send_error(404)
                return
            content = loopback.files[path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            if manner == "hang":
                loopback.hanging.set()
                over.wait(60)
            if not manner:
                self.wfile.write(content[len(content) // 2 :])

        def log_message(self, *args: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    loopback = Loopback(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield loopback
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()
