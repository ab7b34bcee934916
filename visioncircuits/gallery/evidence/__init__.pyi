from . import atoms, examples, partners, tuning, visualizations, weights
from .kind import Build, Kind, Task

__all__ = [
    "Build",
    "Kind",
    "Task",
    "atoms",
    "examples",
    "partners",
    "tuning",
    "visualizations",
    "weights",
]
