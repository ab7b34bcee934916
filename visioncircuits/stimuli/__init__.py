"""Anti-aliased synthetic pictures on named parameter axes."""

from visioncircuits.stimuli.angles import angle, corner
from visioncircuits.stimuli.circles import circle, evolute, spiral
from visioncircuits.stimuli.color import hue, hue_rotated, rgb, rotate_hue
from visioncircuits.stimuli.contrasts import (
    black_white_vs_color,
    brightness_gradient,
    color_center_surround,
    color_contrast,
)
from visioncircuits.stimuli.coverage import covered
from visioncircuits.stimuli.curves import curve, double_curve
from visioncircuits.stimuli.drawing import Canvas, Drawing
from visioncircuits.stimuli.families import parameters_of
from visioncircuits.stimuli.frequency import frequency_pattern, high_low
from visioncircuits.stimuli.gratings import chirp, gabor, sinusoidal_grating, square_grating
from visioncircuits.stimuli.lines import (
    bar,
    crossing_lines,
    diverging_lines,
    edge,
    line,
    line_end,
)
from visioncircuits.stimuli.named import CONTROLS, named, names
from visioncircuits.stimuli.published import colored_curve
from visioncircuits.stimuli.reading import Stimuli, stimulus_set
from visioncircuits.stimuli.sets import StimulusSet
from visioncircuits.stimuli.sheet import contact_sheet
from visioncircuits.stimuli.stimulus import Parameter, Stimulus
from visioncircuits.stimuli.textures import checkerboard, dots, hatch, noise

__all__ = [
    "CONTROLS",
    "Canvas",
    "Drawing",
    "Parameter",
    "Stimuli",
    "Stimulus",
    "StimulusSet",
    "angle",
    "bar",
    "black_white_vs_color",
    "brightness_gradient",
    "checkerboard",
    "chirp",
    "circle",
    "color_center_surround",
    "color_contrast",
    "colored_curve",
    "contact_sheet",
    "corner",
    "covered",
    "crossing_lines",
    "curve",
    "diverging_lines",
    "dots",
    "double_curve",
    "edge",
    "evolute",
    "frequency_pattern",
    "gabor",
    "hatch",
    "high_low",
    "hue",
    "hue_rotated",
    "line",
    "line_end",
    "named",
    "names",
    "noise",
    "parameters_of",
    "rgb",
    "rotate_hue",
    "sinusoidal_grating",
    "spiral",
    "square_grating",
    "stimulus_set",
]
