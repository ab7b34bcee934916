"""What is studied: networks, their layers and units, and what they answer."""

from visioncircuits.networks.catalog import Entry, available, load, untrained
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.families import Families, read_families
from visioncircuits.networks.features import Direction, Feature, Unit, parse
from visioncircuits.networks.graph import Concat, LayerGraph, Node
from visioncircuits.networks.network import Layer, Network, wrap
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing
from visioncircuits.networks.torchvision_models import imagenet_classes
from visioncircuits.networks.verification import Verification, verify

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
    "Node",
    "Preprocessing",
    "Unit",
    "Verification",
    "available",
    "imagenet_classes",
    "load",
    "parse",
    "read_families",
    "untrained",
    "verify",
    "wrap",
]
