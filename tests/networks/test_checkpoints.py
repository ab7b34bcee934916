import importlib.util
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints as store
from visioncircuits.networks.conversion import LUCENT, ONNX, OURS
from visioncircuits.networks.downloads import Source, fingerprint

NAME = "inceptionv1"
PUBLISHED = store.SOURCES


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the environment; the cache is empty, and there are no sources."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv(store.FOLDER, str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(store.OFFLINE, raising=False)
    monkeypatch.setattr(store, "SOURCES", {})
    return folder


@pytest.fixture
def parameters() -> dict[str, Tensor]:
    """Parameters under our names, small ones: their shapes do not matter."""
    generator = torch.Generator().manual_seed(2)
    return {name: torch.randn(3, generator=generator) for name in OURS.parameters()}


@pytest.fixture
def source(
    tmp_path: Path,
    parameters: dict[str, Tensor],
    loopback: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Source:
    """A published file in lucent's naming, the only source of the network."""
    path = tmp_path / "published.pth"
    torch.save(dict(zip(LUCENT.parameters(), parameters.values(), strict=True)), path)
    loopback.files["inception5h.pth"] = path.read_bytes()
    source = Source(f"{loopback.url}/inception5h.pth", fingerprint(path, algorithm="git-blob"))
    monkeypatch.setitem(store.SOURCES, NAME, (source,))
    return source


def _same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return list(found) == list(expected) and all(torch.equal(found[n], expected[n]) for n in found)


def test_a_path_precedes_the_folder_and_the_folder_the_cache(
    tmp_path: Path, folder: Path, source: Source
) -> None:
    assert store.find(NAME) is None
    fetched = store.obtain(NAME)
    assert store.find(NAME) == fetched
    assert fetched.path.parent == store.cache()

    (folder / "inception5h.pth").touch()
    assert store.obtain(NAME).path == folder / "inception5h.pth"
    (folder / f"{NAME}.safetensors").touch()
    assert store.obtain(NAME).path == folder / f"{NAME}.safetensors"

    (tmp_path / "mine.pth").touch()
    assert store.obtain(NAME, path=str(tmp_path / "mine.pth")).path == tmp_path / "mine.pth"


def test_a_path_that_is_not_a_file_raises_though_there_are_others(
    tmp_path: Path, folder: Path
) -> None:
    (folder / f"{NAME}.safetensors").touch()
    with pytest.raises(InputError, match=r"no checkpoint file .*mine\.pth"):
        store.obtain(NAME, path=tmp_path / "mine.pth")


def test_a_variable_that_does_not_name_a_folder_raises(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(store.FOLDER, str(tmp_path / "typo"))
    with pytest.raises(InputError, match=r"VISIONCIRCUITS_CHECKPOINTS names .*typo"):
        store.find(NAME)


def test_a_fetched_file_has_the_published_parameters_and_its_source(
    parameters: dict[str, Tensor], source: Source, loopback: Any
) -> None:
    checkpoint = store.fetch(NAME)
    assert _same(checkpoint.parameters(parameters), parameters)
    assert f"sha256:{checkpoint.sha256}" == fingerprint(checkpoint.path)
    with safe_open(checkpoint.path, "pt") as file:
        assert file.metadata() == {"source": f"{source.url} {source.fingerprint}"}
    assert list(store.cache().iterdir()) == [checkpoint.path]

    loopback.files.clear()
    assert _same(store.obtain(NAME).parameters(parameters), parameters)


def test_fetching_again_gives_the_same_file(source: Source) -> None:
    first = store.fetch(NAME)
    assert store.fetch(NAME) == first
    assert list(store.cache().iterdir()) == [first.path]


def test_many_may_fetch_at_once(parameters: dict[str, Tensor], source: Source) -> None:
    with ThreadPoolExecutor(4) as pool:
        fetched = list(pool.map(lambda _: store.fetch(NAME), range(8)))
    assert len(set(fetched)) == 1
    assert list(store.cache().iterdir()) == [fetched[0].path]
    assert _same(fetched[0].parameters(parameters), parameters)


@pytest.mark.parametrize("damage", ["cut", "flip", "replace"])
def test_a_changed_file_in_the_cache_raises_with_its_name(
    parameters: dict[str, Tensor], source: Source, damage: str
) -> None:
    path = store.fetch(NAME).path
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-1])
    elif damage == "flip":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:  # by a sound file of other parameters
        save_file({name: tensor + 1 for name, tensor in parameters.items()}, path)
    with pytest.raises(InputError, match="truncated or changed") as error:
        store.obtain(NAME).parameters(parameters)
    assert str(path) in str(error.value)

    path.unlink()
    assert _same(store.obtain(NAME).parameters(parameters), parameters)


def test_a_damaged_file_in_the_folder_raises_with_its_name(
    folder: Path, parameters: dict[str, Tensor]
) -> None:
    path = folder / f"{NAME}.safetensors"
    save_file(parameters, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=re.escape(str(path))):
        store.obtain(NAME).parameters(parameters)


def test_the_next_source_is_tried_where_one_fails(
    source: Source,
    parameters: dict[str, Tensor],
    loopback: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = Source(f"{loopback.url}/gone.pth", source.fingerprint)
    other = Source(source.url, "sha1:" + "0" * 40)
    cut = Source(f"{source.url}?cut", source.fingerprint)
    monkeypatch.setitem(store.SOURCES, NAME, (gone, other, cut, source))
    assert _same(store.fetch(NAME).parameters(parameters), parameters)
    assert len(loopback.requests) == 4


def test_a_missing_checkpoint_raises_with_folders_reasons_and_a_remedy(
    source: Source, folder: Path, loopback: Any
) -> None:
    loopback.files.clear()
    with pytest.raises(InputError) as error:
        store.obtain(NAME)
    message = str(error.value)
    for part in (NAME, str(folder), str(store.cache()), "networks --verbose"):
        assert part in message
    assert source.url not in message
    assert error.value.__notes__ == [f"{source.url} (HTTP 404)"]
    assert "\n" not in message
    assert not list(store.cache().iterdir())


def test_a_network_without_sources_raises(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no checkpoint of 'squeezenet9'.*no public one is known"):
        store.obtain("squeezenet9")


def test_nothing_is_downloaded_offline(
    source: Source, loopback: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.OFFLINE, "1")
    with pytest.raises(InputError, match="VISIONCIRCUITS_OFFLINE forbids downloads"):
        store.obtain(NAME)
    assert loopback.requests == []
    monkeypatch.setenv(store.OFFLINE, "0")
    assert store.obtain(NAME).path.is_file()


def test_an_onnx_source_is_skipped_without_the_package(
    source: Source, loopback: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = Source(f"{loopback.url}/googlenet-12.onnx", source.fingerprint)
    monkeypatch.setitem(store.SOURCES, NAME, (onnx, source))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert store.fetch(NAME).path.is_file()
    assert loopback.requests == ["inception5h.pth"]

    monkeypatch.setitem(store.SOURCES, NAME, (onnx,))
    with pytest.raises(InputError, match="none could be downloaded") as error:
        store.fetch(NAME)
    assert "pip install visioncircuits[onnx]" in error.value.__notes__[0]


def test_an_onnx_source_is_converted(
    tmp_path: Path,
    loopback: Any,
    parameters: dict[str, Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    onnx = pytest.importorskip("onnx")
    named = zip(ONNX.parameters(), parameters.values(), strict=True)
    tensors = [onnx.numpy_helper.from_array(tensor.numpy(), name) for name, tensor in named]
    graph = onnx.helper.make_graph([], "googlenet", [], [], tensors)
    path = tmp_path / "published.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    loopback.files["googlenet-12.onnx"] = path.read_bytes()
    source = Source(f"{loopback.url}/googlenet-12.onnx", fingerprint(path))
    monkeypatch.setitem(store.SOURCES, NAME, (source,))
    assert _same(store.fetch(NAME).parameters(parameters), parameters)


def test_a_cache_that_cannot_be_written_raises_before_anything_is_downloaded(
    tmp_path: Path, source: Source, loopback: Any
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"cannot be kept in .*cache"):
        store.fetch(NAME)
    assert loopback.requests == []


def test_a_full_disk_raises_and_leaves_nothing(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        store.fetch(NAME)
    assert not list(store.cache().iterdir())


@pytest.mark.slow
def test_killed_while_downloading_it_leaves_nothing_in_the_cache(
    tmp_path: Path, source: Source, parameters: dict[str, Tensor], loopback: Any
) -> None:
    program = (
        "from visioncircuits.networks import checkpoints\n"
        "from visioncircuits.networks.downloads import Source\n"
        f"checkpoints.SOURCES[{NAME!r}] = (Source({source.url + '?hang'!r}, 'sha1:0'),)\n"
        f"checkpoints.fetch({NAME!r})\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(scratch)}
    )
    try:
        assert loopback.hanging.wait(60)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not list(store.cache().iterdir())
    assert _same(store.obtain(NAME).parameters(parameters), parameters)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_sources_are_pinned_and_readable(name: str) -> None:
    lengths = {"sha256": 64, "sha1": 40, "git-blob": 40}
    for source in PUBLISHED[name]:
        algorithm, _, digest = source.fingerprint.partition(":")
        assert re.fullmatch(rf"[0-9a-f]{{{lengths[algorithm]}}}", digest)
        assert Path(source.file_name).suffix in store.FORMATS
