"""The whole of a layer: activation atlases."""

from visioncircuits.atlas.attributing import attributed, of_samples
from visioncircuits.atlas.building import atlas, dependence
from visioncircuits.atlas.cells import grids
from visioncircuits.atlas.classes import class_atlas, compare
from visioncircuits.atlas.icons import grid_of, icons, whitening
from visioncircuits.atlas.layout import lay_out, pca, spread, tsne, umap
from visioncircuits.atlas.panel import atlas_panel, mosaic
from visioncircuits.atlas.records import Atlas, Grid, SampledActivations
from visioncircuits.atlas.sampling import sample
from visioncircuits.atlas.storage import load, save

__all__ = [
    "Atlas",
    "Grid",
    "SampledActivations",
    "atlas",
    "atlas_panel",
    "attributed",
    "class_atlas",
    "compare",
    "dependence",
    "grid_of",
    "grids",
    "icons",
    "lay_out",
    "load",
    "mosaic",
    "of_samples",
    "pca",
    "sample",
    "save",
    "spread",
    "tsne",
    "umap",
    "whitening",
]
