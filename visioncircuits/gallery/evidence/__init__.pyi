from . import examples, tuning, visualizations, weights
from .kind import Build, Kind, Task

__all__ = ["Build", "Kind", "Task", "examples", "tuning", "visualizations", "weights"]
