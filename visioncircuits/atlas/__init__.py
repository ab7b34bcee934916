"""The whole of a layer: activation atlases."""

from visioncircuits.atlas.records import Atlas, Grid, SampledActivations

__all__ = ["Atlas", "Grid", "SampledActivations"]
