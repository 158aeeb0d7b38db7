"""Shows what an installation found in a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from kinsynth.cli.findings import show_findings
from kinsynth.cli.inspection import make_grid
from kinsynth.errors import Finding


def show_detection(console: Console, found: Mapping[str, Any]) -> None:
    """Show a detection as ``kinsynth inspect`` shows an inspection."""
    files = make_grid("Files", "Table", "Read from", "Rows")
    for table in found["tables"]:
        words = [table["file"], *([f"sheet {table['sheet']}"] if table["sheet"] else [])]
        if (dialect := table["dialect"]) is not None:
            words += [dialect["encoding"], dialect["delimiter"], dialect["newline"]]
        files.add_row(Text(table["name"]), Text(", ".join(words)), Text(f"{table['rows']:,}"))
    for one in found["skipped"]:
        files.add_row(Text("skipped", style="bright_black"), Text(f"{one['file']}: {one['reason']}"), "")
    console.print(files)
    for table in found["tables"]:
        _show_table(console, table)
    _show_relations(console, found["relations"])
    _show_rules(console, found["rules"])
    if found["findings"]:
        show_findings(console, [Finding(**one) for one in found["findings"]])


def _show_table(console: Console, table: Mapping[str, Any]) -> None:
    title = f"{table['name']} (original data)" if table["original"] else table["name"]
    grid = make_grid(title, "Column", "Type", "Missing", "Sure", "Why")
    rows = max(1, table["rows"])
    for column in table["columns"]:
        missing = f"{column['missing'] / rows:.1%}" if column["missing"] else ""
        kept = column["type"] == column["detected"]
        sure = f"{column['confidence']:.0%}" if kept else ""
        why = column["reason"] if kept else f"detected {column['detected']}"
        why += f"; personal: {column['personal']}" if column["personal"] else ""
        grid.add_row(*map(Text, (column["name"], column["type"], missing, sure, why)))
    console.print(grid)
    key = ", ".join(table["primary_key"]) or "none"
    proposed = bool(table["primary_key"]) and table["primary_key"] == table["proposed_key"]
    why = f"  {table['key_confidence']:.0%}: {table['key_reason']}" if proposed else ""
    console.print(Text.assemble(("Primary key: ", "bold"), key, (why, "bright_black")))
    if table["order_by"]:
        console.print(Text.assemble(("Order of rows: ", "bold"), table["order_by"]))
    console.print()


def _show_relations(console: Console, relations: list[Mapping[str, Any]]) -> None:
    grid = make_grid("Relations", "Foreign key", "Role", "Sure")
    for one in relations:
        key = (
            f"{one['table']}({', '.join(one['columns'])}) -> "
            f"{one['references_table']}({', '.join(one['references_columns'])})"
        )
        reason = one["reason"] if one["used"] else f"suggested, not used: {one['reason']}"
        sure = "" if one["confidence"] is None else f"{one['confidence']:.0%}"
        why = Text(f"  {reason}", style="bright_black")
        grid.add_row(Text.assemble(key, "\n", why), Text(one["role"]), Text(sure))
    if grid.row_count:
        console.print(grid)


def _show_rules(console: Console, rules: list[Mapping[str, Any]]) -> None:
    grid = make_grid("Rules that every row keeps", "Table", "Rule", "Kind", "Why")
    for one in rules:
        grid.add_row(*(Text(one[name]) for name in ("table", "text", "kind", "reason")))
    if grid.row_count:
        console.print(grid)
