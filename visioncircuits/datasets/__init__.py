"""Photographs, whatever they come from: a folder, tar files, paths, a dataset, a tensor."""

from visioncircuits.datasets.decoding import Photograph
from visioncircuits.datasets.photographs import Photographs, Source, photographs
from visioncircuits.datasets.splitting import split_by_name

__all__ = ["Photograph", "Photographs", "Source", "photographs", "split_by_name"]
