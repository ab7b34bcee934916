"""What is studied: networks, their layers and units, and what they answer."""

from visioncircuits.networks.catalog import Entry, available, load, untrained
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.families import Families, read_families
from visioncircuits.networks.features import Direction, Feature, Unit, parse
from visioncircuits.networks.layer_graph import Concat, LayerGraph, Step
from visioncircuits.networks.network import Layer, Network, wrap
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing
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
    "Preprocessing",
    "Step",
    "Unit",
    "Verification",
    "available",
    "load",
    "parse",
    "read_families",
    "untrained",
    "verify",
    "wrap",
]
