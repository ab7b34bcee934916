"""ONNX files of convolutional classifiers as networks: `net.onnx`.

The graph is converted to a `torch.fx.GraphModule` by onnx2torch, which has a module a node under
the node's name. The file is data: nothing in it is run.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from visioncircuits.errors import InputError
from visioncircuits.networks import onnx_files, onnx_graphs, onnx_operators
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.network import Network, prepared
from visioncircuits.networks.preprocessing import Preprocessing, parse
from visioncircuits.networks.torchvision_models import imagenet_classes

SIZE = 224
"""The height and width of pictures where a graph leaves them open."""

FEW = (1, 3, 4)
"""Numbers of channels that pictures have."""


def load(file: str, *, path: str | Path | None = None, input: str | None = None) -> Network:
    """Convert a classifier's ONNX file.

    Its layers have the names of the graph's nodes, with `_` for what is no letter or digit. The
    network returns the graph's first output, as logits: without a softmax at its end, and
    `(batch, classes)` where there is one position.

    Parameters
    ----------
    file
        The path of the file. Tensors may be in other files in its folder.
    path
        Must be None: the file holds its parameters.
    input
        The preprocessing, such as "RGB 0..1 minus (0.485,0.456,0.406) over (0.229,0.224,0.225)",
        as `preprocessing.parse` reads it. The default is what the file states as its metadatum
        `input`, or else pictures in [0, 1] as they are. What classes its logits are for, a file
        states as the metadatum `classes`: "ImageNet", or a name a line.

    Returns
    -------
    Network
        Of the size that the graph's input has, or 224.

    Raises
    ------
    InputError
        Where operators cannot be converted, which are listed before anything else is done; where
        the file is damaged, or its graph takes or returns something other than a classifier of
        square pictures, `(batch, channels, height, width)`, in any number.

    Examples
    --------
    >>> load("lost.onnx")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: there is no file lost.onnx
    """
    source = Path(file).expanduser()
    if path is not None:
        raise InputError(f"{source.name} takes no checkpoint: it holds its own parameters")
    if not source.is_file():
        raise InputError(f"there is no file {source}")
    model = onnx_files.read(source)
    stated = {entry.key: entry.value for entry in model.metadata_props}
    module, channels, size = _converted(model, source)
    classes = _check(module, (channels, size, size), source.name)
    text = stated.get("input") if input is None else input
    preprocessing = Preprocessing(channels=channels)
    if text is not None:
        preprocessing = parse(text, channels=channels, source=str(source))
    return Network(
        module,
        preprocessing,
        name=source.name,
        size=size,
        checkpoint=Checkpoint(source),
        classes=_class_names(stated.get("classes"), classes, source.name),
    )


def _converted(model: Any, source: Path) -> tuple[fx.GraphModule, int, int]:
    """Convert a graph; return the module, and the channels and the size that it takes."""
    try:
        import onnx2torch  # an extra
        from onnx.inliner import inline_local_functions
    except ImportError as error:
        raise InputError(f"converting {source} needs {onnx_files.EXTRA}") from error
    if model.functions:
        model = inline_local_functions(model)
    onnx_operators.check(model, source.name)
    onnx_files.load_tensors(model, source)
    shape = _input_shape(model.graph, source.name)
    try:
        onnx_graphs.describe(model.graph, shape)
        onnx_graphs.fold(model)
        model = onnx_operators.convertible(model)
        shapes, graph = onnx_graphs.fold(model), model.graph
        onnx_graphs.end_in_logits(graph, shapes)
        onnx_graphs.rename(graph)
        onnx_graphs.for_any_batch(graph, shapes)
        onnx_graphs.pad_explicitly(graph, shapes)
        onnx_graphs.state_shapes(graph, shapes)
        ours = onnx_operators.set_aside(graph, shapes)
        module = onnx2torch.convert(model)
    except InputError as error:
        raise InputError(f"{source.name} cannot be converted to torch: {error}") from error
    except Exception as error:  # a damaged graph can fail in any way
        raise _unusual(source.name, "cannot be converted to torch", error) from error
    for name, operation in ours.items():
        setattr(module, name, operation)
    return prepared(module), shape[1], shape[2]


def _input_shape(graph: Any, name: str) -> tuple[int, int, int, int]:
    """Return the shape of pictures that a graph takes, with numbers where it leaves them open."""
    from onnx import TensorProto

    constants = {tensor.name for tensor in graph.initializer}
    taken = [value for value in graph.input if value.name not in constants]
    if len(taken) != 1 or not graph.output:
        raise InputError(
            f"{name} takes {len(taken)} inputs and returns {len(graph.output)} outputs; a network "
            "here takes one, pictures, and returns one"
        )
    kind = taken[0].type.tensor_type
    sizes = [dimension.dim_value for dimension in kind.shape.dim]  # 0 where it is open
    if len(sizes) != 4 or kind.elem_type != TensorProto.FLOAT:
        of = TensorProto.DataType.Name(kind.elem_type)
        raise InputError(
            f"{name} takes {of} of {len(sizes)} dimensions; a network here takes pictures, FLOAT "
            "of (batch, channels, height, width)"
        )
    batch, channels, height, width = sizes
    if width in FEW and channels not in FEW:
        raise InputError(
            f"{name} takes pictures as (batch, height, width, channels), NHWC; export it for "
            "(batch, channels, height, width), as tf2onnx does with --inputs-as-nchw"
        )
    if (height or width) != (width or height):
        raise InputError(
            f"{name} takes pictures of {height}x{width} pixels, and pictures here are square"
        )
    if not channels:
        raise InputError(f"{name} leaves open how many channels pictures have; export it with them")
    size = height or width or SIZE
    return batch or 1, channels, size, size


def _check(module: nn.Module, shape: tuple[int, int, int], name: str) -> int:
    """Check that two pictures give what each gives alone; return the number of classes."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(2, *shape, generator=generator)
    with torch.no_grad():
        try:
            alone = module(pictures[1:])
        except Exception as error:  # of what a graph asked for, of any kind
            raise _unusual(name, "cannot be run in torch", error) from error
        if not isinstance(alone, Tensor) or alone.ndim != 2 or len(alone) != 1:
            found = tuple(alone.shape) if isinstance(alone, Tensor) else type(alone).__name__
            raise InputError(
                f"{name} returns {found} for one picture; a network here returns logits, (batch, "
                "classes)"
            )
        try:
            both = module(pictures)
        except Exception as error:  # as above
            raise _unusual(name, "cannot be run on two pictures at once", error) from error
    scale = alone.abs().max().clamp(min=1e-6)
    if both.shape != (2, alone.shape[1]) or not torch.allclose(
        both[1:] / scale, alone / scale, atol=1e-3, equal_nan=True
    ):
        raise InputError(
            f"{name} computes something else for two pictures at once than for each alone; export "
            "it with a dynamic batch"
        )
    return alone.shape[1]


def _class_names(stated: str | None, count: int, name: str) -> tuple[str, ...] | None:
    """Return the names of classes, where a file states them."""
    if stated is None:
        return None
    classes = imagenet_classes() if stated == "ImageNet" else tuple(stated.splitlines())
    if len(classes) != count:
        raise InputError(f"{name} states {len(classes)} classes and returns {count} logits")
    return classes


def _unusual(name: str, what: str, error: Exception) -> InputError:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return InputError(f"{name} {what} ({first}); export it otherwise or write a torch module")
