from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks.caffemodel import read_caffemodel


@pytest.fixture(scope="module")
def caffe() -> SimpleNamespace:
    """Caffe's messages, defined in protobuf's own library."""
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    proto = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe")
    kinds = descriptor_pb2.FieldDescriptorProto

    def message(name: str, *declared: tuple[str, int, int, bool, str, bool]) -> None:
        added = proto.message_type.add(name=name)
        for field, number, kind, repeated, of, packed in declared:
            described = added.field.add(name=field, number=number, type=kind)
            described.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if of:
                described.type_name = f".caffe.{of}"
            if packed:
                described.options.packed = True

    whole, real, text, sub = (
        kinds.TYPE_INT64,
        kinds.TYPE_FLOAT,
        kinds.TYPE_STRING,
        kinds.TYPE_MESSAGE,
    )
    message("BlobShape", ("dim", 1, whole, True, "", True))
    legacy = [
        (name, number, whole, False, "", False)
        for number, name in enumerate(["num", "channels", "height", "width"], start=1)
    ]
    data = ("data", 5, real, True, "", True)
    message("BlobProto", *legacy, data, ("shape", 7, sub, False, "BlobShape", False))
    message("UnpackedBlob", *legacy, ("data", 5, real, True, "", False))
    message(
        "V1LayerParameter",
        ("bottom", 2, text, True, "", False),
        ("name", 4, text, False, "", False),
        ("type", 5, whole, False, "", False),
        ("blobs", 6, sub, True, "BlobProto", False),
        ("blobs_lr", 7, real, True, "", False),
    )
    message(
        "LayerParameter",
        ("name", 1, text, False, "", False),
        ("type", 2, text, False, "", False),
        ("blobs", 7, sub, True, "BlobProto", False),
    )
    message(
        "NetParameter",
        ("name", 1, text, False, "", False),
        ("layers", 2, sub, True, "V1LayerParameter", False),
        ("input", 3, text, True, "", False),
        ("layer", 100, sub, True, "LayerParameter", False),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    return SimpleNamespace(
        **{
            name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}"))
            for name in ("BlobProto", "BlobShape", "UnpackedBlob", "NetParameter")
        }
    )


CONV = torch.arange(2 * 3 * 5 * 5, dtype=torch.float32).reshape(2, 3, 5, 5) / 7
LINEAR = -torch.arange(4 * 8, dtype=torch.float32).reshape(4, 8)
BIAS = torch.tensor([1.5, -2.25, 1e-30, 3e8])


def _old(caffe: SimpleNamespace, tensor: Tensor) -> Any:
    num, channels, height, width = (1,) * (4 - tensor.dim()) + tuple(tensor.shape)
    return caffe.BlobProto(
        num=num, channels=channels, height=height, width=width, data=tensor.flatten().tolist()
    )


def _new(caffe: SimpleNamespace, tensor: Tensor) -> Any:
    return caffe.BlobProto(shape=caffe.BlobShape(dim=tensor.shape), data=tensor.flatten().tolist())


def _network(caffe: SimpleNamespace) -> Any:
    """A network with a layer of each version, and one without parameters."""
    network = caffe.NetParameter(name="net", input=["data"])
    network.layers.add(name="relu", type=18, bottom=["a"])
    network.layers.add(
        name="conv/old", type=4, blobs=[_old(caffe, CONV), _old(caffe, BIAS[:2])], blobs_lr=[1, 2]
    )
    network.layer.add(name="fc/new", type="InnerProduct", blobs=[_new(caffe, LINEAR)])
    network.layer[0].blobs.append(_new(caffe, BIAS))
    return network


def _read(tmp_path: Path, data: bytes) -> dict[str, Tensor]:
    path = tmp_path / "net.caffemodel"
    path.write_bytes(data)
    return read_caffemodel(path)


def test_both_versions_of_layers_and_blobs_are_read(tmp_path: Path, caffe: SimpleNamespace) -> None:
    found = _read(tmp_path, _network(caffe).SerializeToString())
    expected = {
        "conv/old.weight": CONV,
        "conv/old.bias": BIAS[:2],
        "fc/new.weight": LINEAR,
        "fc/new.bias": BIAS,
    }
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], tensor)


def test_legacy_matrices_and_vectors_lose_their_padding(
    tmp_path: Path, caffe: SimpleNamespace
) -> None:
    network = caffe.NetParameter()
    network.layers.add(name="fc", blobs=[_old(caffe, LINEAR), _old(caffe, BIAS)])
    found = _read(tmp_path, network.SerializeToString())
    assert torch.equal(found["fc.weight"], LINEAR)
    assert torch.equal(found["fc.bias"], BIAS)


def test_floats_written_one_at_a_time_are_read(tmp_path: Path, caffe: SimpleNamespace) -> None:
    blob = caffe.UnpackedBlob(num=1, channels=1, height=1, width=4, data=BIAS.tolist())
    network = caffe.NetParameter()
    network.layers.add(name="conv").blobs.add().MergeFromString(blob.SerializeToString())
    plain = bytes(network.SerializeToString())
    assert torch.equal(_read(tmp_path, plain)["conv.weight"], BIAS)
    # The same layer, its blob spliced in as written: 0x2d is field 5 of four bytes.
    spliced = _delimited(2, _delimited(4, b"conv") + _delimited(6, blob.SerializeToString()))
    assert b"\x2d" in spliced
    assert torch.equal(_read(tmp_path, spliced)["conv.weight"], BIAS)


def _delimited(number: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def test_a_file_truncated_anywhere_raises_or_lacks_whole_parameters(
    tmp_path: Path, caffe: SimpleNamespace
) -> None:
    whole = _network(caffe).SerializeToString()
    expected = _read(tmp_path, whole)
    refused = 0
    for length in range(len(whole)):
        try:
            found = _read(tmp_path, whole[:length])
        except InputError:
            refused += 1
        else:
            assert found.keys() < expected.keys()
            assert all(torch.equal(found[name], expected[name]) for name in found)
    assert refused > 0.9 * len(whole)


def test_a_shape_that_does_not_match_its_values_raises(
    tmp_path: Path, caffe: SimpleNamespace
) -> None:
    network = _network(caffe)
    network.layer[0].blobs[0].shape.dim[0] = 5
    with pytest.raises(InputError, match=r"fc/new\.weight: a shape of \(5, 8\) with 128 bytes"):
        _read(tmp_path, network.SerializeToString())


def test_a_blob_without_values_raises_whatever_its_shape(
    tmp_path: Path, caffe: SimpleNamespace
) -> None:
    network = caffe.NetParameter()
    blob = caffe.BlobProto(shape=caffe.BlobShape(dim=[0, -1]))
    network.layer.add(name="fc", blobs=[blob])
    with pytest.raises(InputError, match=r"fc\.weight: a shape of .* with 0 bytes"):
        _read(tmp_path, network.SerializeToString())


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"<!DOCTYPE html>", "unknown kind 4"),
        (b"\xff" * 20, "longer than 64 bits"),
        (b"\x12\xff\xff\xff\xff\x0fabc", "4294967295 bytes and 3 are left"),
        (b"\x12\x04\x22\x02\xff\xfe", "utf-8"),
    ],
)
def test_other_bytes_than_a_caffemodel_raise(tmp_path: Path, data: bytes, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        _read(tmp_path, data)
