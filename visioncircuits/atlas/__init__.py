"""The whole of a layer: activation atlases."""

from visioncircuits.atlas.aligned import aligned
from visioncircuits.atlas.attack import Attack, attack, paste, suggested
from visioncircuits.atlas.attributing import attributed, of_samples
from visioncircuits.atlas.behind import cell_patches, typical
from visioncircuits.atlas.building import atlas, dependence
from visioncircuits.atlas.cells import grids
from visioncircuits.atlas.classes import class_atlas, compare
from visioncircuits.atlas.icons import icons, whitening
from visioncircuits.atlas.layout import lay_out, pca, spread, tsne, umap
from visioncircuits.atlas.panel import atlas_panel, mosaic
from visioncircuits.atlas.records import Atlas, Grid, SampledActivations
from visioncircuits.atlas.sampling import sample
from visioncircuits.atlas.showing import along
from visioncircuits.atlas.storage import load, save

__all__ = [
    "Atlas",
    "Attack",
    "Grid",
    "SampledActivations",
    "aligned",
    "along",
    "atlas",
    "atlas_panel",
    "attack",
    "attributed",
    "cell_patches",
    "class_atlas",
    "compare",
    "dependence",
    "grids",
    "icons",
    "lay_out",
    "load",
    "mosaic",
    "of_samples",
    "paste",
    "pca",
    "sample",
    "save",
    "spread",
    "suggested",
    "tsne",
    "typical",
    "umap",
    "whitening",
]
