"""Tables on the screen."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

_RIGHT = {"Rows", "Sure", "Missing"}
_WIDE = {"Why", "Read from", "Foreign key"}


def make_grid(title: str, *headings: str) -> Table:
    """Make an empty table."""
    grid = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, expand=True)
    for heading in headings:
        side: JustifyMethod = "right" if heading in _RIGHT else "left"
        grid.add_column(heading, justify=side, overflow="fold", ratio=3 if heading in _WIDE else None)
    return grid
