from .building import build
from .recipe import Recipe

__all__ = ["Recipe", "build"]
