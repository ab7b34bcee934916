from .catalog import Entry, available, load, untrained
from .checkpoints import Checkpoint
from .checks import Verification
from .families import Families
from .features import Direction, Feature, Unit, parse, read_features
from .layer_graph import Concat, LayerGraph, Step
from .layers import Layer
from .network import Network, wrap
from .preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing
from .redrawing import redrawn
from .selection import Features, Selection, expand, select
from .shuffling import shuffled
from .torchvision_models import imagenet_classes
from .verification import verify

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
    "Features",
    "Layer",
    "LayerGraph",
    "Network",
    "Preprocessing",
    "Selection",
    "Step",
    "Unit",
    "Verification",
    "available",
    "expand",
    "imagenet_classes",
    "load",
    "parse",
    "read_features",
    "redrawn",
    "select",
    "shuffled",
    "untrained",
    "verify",
    "wrap",
]
