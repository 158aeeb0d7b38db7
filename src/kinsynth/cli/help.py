"""Help of the commands that take settings: after the command's own options, every field of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

if TYPE_CHECKING:
    from kinsynth.settings.fields import Field

INTRODUCTION = """
 Every field of the synthesis document is an option too: --PATH VALUE or --PATH=VALUE.
 Names of tables and columns stand in the path as they are; one with a dot stands in double quotes.
"""


class SettingsCommand(TyperCommand):
    """A command that also takes ``--part.field VALUE`` for every field of the document."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the command's help, then the fields in groups."""
        super().format_help(ctx, formatter)
        show_fields(Console())


def show_fields(console: Console) -> None:
    """Show every field of the document as an option, grouped by its part."""
    console.print(Text(INTRODUCTION), soft_wrap=True)
    for title, members in grouped_fields().items():
        console.print(_panel(title, members))


def grouped_fields() -> dict[str, list[Field]]:
    """Give the fields a user may set by the title of their part, in the document's order."""
    from kinsynth.settings.fields import fields, groups

    titles = {group.path: group.title for group in groups()}
    grouped: dict[str, list[Field]] = {}
    for field in fields():
        if field.path != "version":
            grouped.setdefault(titles.get(_part(field.path), "Document"), []).append(field)
    return grouped


def _part(path: str) -> str:
    """Give the part that holds a field: ``tables`` for ``tables.<table>.include``.

    >>> _part("tables.<table>.include"), _part("training.max_epochs")
    ('tables', 'training')
    """
    words = path.split(".")[:-1]
    return ".".join(words[:-1] if words and words[-1].startswith("<") else words)


def _panel(title: str, members: list[Field]) -> Panel:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(ratio=2, overflow="fold")
    table.add_column(ratio=3)
    for field in members:
        words = Text.assemble(f"{field.title}: {field.expected}.", (f" [{_default(field)}]", "bright_black"))
        if not field.available:
            words.append(" not available yet", style="yellow")
        table.add_row(Text(f"--{field.path}", style="cyan"), words)
    return Panel(table, title=title, title_align="left", border_style="bright_black")


def _default(field: Field) -> str:
    value = field.default
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value in ("", (), {}):
        return "none"
    return ", ".join(repr(item) for item in value) if isinstance(value, tuple) else str(value)
