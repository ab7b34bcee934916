from . import report

__all__ = ["report"]
