from . import examples, partners, tuning, visualizations, weights
from .kind import Build, Kind, Task

__all__ = ["Build", "Kind", "Task", "examples", "partners", "tuning", "visualizations", "weights"]
