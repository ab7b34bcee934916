"""Tables in a terminal, or in a pipe that has no width to fit into."""

from rich.console import Console
from rich.table import Table


def print_table(table: Table) -> None:
    """Print a table to standard output."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)
