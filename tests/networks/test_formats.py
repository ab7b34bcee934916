import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks.formats import FORMATS, read_tensors


@pytest.fixture
def tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "conv.weight": torch.randn(8, 3, 5, 5, generator=generator),
        "conv.bias": torch.randn(8, generator=generator),
    }


def _write_onnx(path: Path, tensors: dict[str, Tensor]) -> None:
    onnx = pytest.importorskip("onnx")
    initializers = [onnx.numpy_helper.from_array(t.numpy(), name) for name, t in tensors.items()]
    graph = onnx.helper.make_graph([], "graph", [], [], initializers)
    model = onnx.ModelProto(ir_version=8, graph=graph)
    path.write_bytes(model.SerializeToString())


def _write_legacy(path: Path, tensors: dict[str, Tensor]) -> None:
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


WRITERS = {
    "net.safetensors": lambda path, tensors: save_file(tensors, path),
    "net.pth": lambda path, tensors: torch.save(tensors, path),
    "net.PT": _write_legacy,
    "net.onnx": _write_onnx,
}


@pytest.mark.parametrize("name", WRITERS)
def test_written_tensors_are_read_again(
    tmp_path: Path, tensors: dict[str, Tensor], name: str
) -> None:
    WRITERS[name](tmp_path / name, tensors)
    found = read_tensors(tmp_path / name)
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[key], tensors[key]) for key in tensors)


@pytest.mark.parametrize("name", WRITERS)
def test_a_truncated_file_raises_with_its_name(
    tmp_path: Path, tensors: dict[str, Tensor], name: str
) -> None:
    path = tmp_path / name
    WRITERS[name](path, tensors)
    whole = path.read_bytes()
    for length in [0, 1, 2, 7, 8, 9, 20, *range(40, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(InputError) as error:
            read_tensors(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_a_pickle_that_runs_code_raises_and_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.mkdir, (tmp_path / "sprung",)  # type: ignore[return-value]

    torch.save({"conv.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(InputError, match=r"trap\.pth is damaged or holds more than tensors"):
        read_tensors(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content",
    [
        {"net": {"conv.bias": torch.zeros(1)}},
        {"model": {"a": torch.zeros(1)}, "state_dict": {"a": torch.ones(1)}},
        [torch.zeros(1)],
        {1: torch.zeros(1)},
    ],
)
def test_a_pth_that_is_not_a_state_dict_raises(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(InputError, match="no plain state dict"):
        read_tensors(tmp_path / "net.pth")


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_a_state_dict_beside_the_state_of_training_is_read(tmp_path: Path, key: str) -> None:
    content = {"epoch": 90, key: {"conv.bias": torch.ones(1)}, "optimizer": {"lr": 0.1}}
    torch.save(content, tmp_path / "last.ckpt")
    assert read_tensors(tmp_path / "last.ckpt") == {"conv.bias": torch.ones(1)}


def test_a_module_s_own_state_dict_carries_no_gradient(tmp_path: Path) -> None:
    torch.save(dict(nn.Conv2d(3, 4, 1).named_parameters()), tmp_path / "net.pth")
    assert not any(t.requires_grad for t in read_tensors(tmp_path / "net.pth").values())


def test_the_shapes_in_an_onnx_graph_are_not_parameters(tmp_path: Path) -> None:
    bias = torch.ones(2)
    _write_onnx(tmp_path / "net.onnx", {"OC2_DUMMY_1": torch.tensor([1, 1024]), "conv_b_0": bias})
    assert read_tensors(tmp_path / "net.onnx").keys() == {"conv_b_0"}


def test_onnx_tensors_in_other_files_raise(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[1])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    (tmp_path / "secret").write_bytes(bytes(4))
    graph = onnx.helper.make_graph([], "graph", [], [], [tensor])
    (tmp_path / "net.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    with pytest.raises(InputError, match="in other files"):
        read_tensors(tmp_path / "net.onnx")


@pytest.mark.parametrize("change", [{"data_type": 99}, {"dims": [7]}])
def test_an_inconsistent_onnx_tensor_raises(tmp_path: Path, change: dict[str, object]) -> None:
    onnx = pytest.importorskip("onnx")
    described = {"name": "w", "data_type": onnx.TensorProto.FLOAT, "dims": [1]} | change
    tensor = onnx.TensorProto(**described, raw_data=bytes(4))
    model = onnx.ModelProto(ir_version=8, graph=onnx.GraphProto(initializer=[tensor]))
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"net\.onnx cannot be read"):
        read_tensors(tmp_path / "net.onnx")


def test_without_the_onnx_package_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.onnx").touch()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install visioncircuits\[onnx\]"):
        read_tensors(tmp_path / "net.onnx")


def test_an_unknown_suffix_raises_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "net.h5").touch()
    with pytest.raises(InputError) as error:
        read_tensors(tmp_path / "net.h5")
    assert all(suffix in str(error.value) for suffix in FORMATS)


def test_a_missing_file_raises_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no checkpoint file .*net\.pth"):
        read_tensors(tmp_path / "net.pth")
