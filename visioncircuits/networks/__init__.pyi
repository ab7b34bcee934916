from .catalog import Entry, available, load, loaded, untrained
from .checkpoints import Checkpoint
from .families import Families, read_families
from .features import Direction, Feature, Unit, parse
from .layer_graph import Concat, LayerGraph, Step
from .layers import Layer
from .network import Network, wrap
from .preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing
from .torchvision_models import imagenet_classes
from .verification import Verification, verify

__all__ = [
    "CAFFE",
    "IMAGENET",
    "TENSORFLOW",
    "Checkpoint",
    "Concat",
    "Direction",
    "Entry",
    "Families",
    "Feature",
    "Layer",
    "LayerGraph",
    "Network",
    "Preprocessing",
    "Step",
    "Unit",
    "Verification",
    "available",
    "imagenet_classes",
    "load",
    "loaded",
    "parse",
    "read_families",
    "untrained",
    "verify",
    "wrap",
]
