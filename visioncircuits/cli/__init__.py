"""The command line: `visioncircuits --help`."""

from visioncircuits.cli.main import main

__all__ = ["main"]
