"""Shows what a source holds: files, tables, types, keys and relations, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from kinsynth.cli.findings import show_findings
from kinsynth.cli.grid import make_grid
from kinsynth.errors import Finding

Facts = Mapping[str, Any]


def show_detection(console: Console, found: Facts) -> None:
    """Show what ``pipeline.description.describe`` says, here or in an installation."""
    if any(table["file"] for table in found["tables"]) or found["skipped"]:
        _show_files(console, found["tables"], found["skipped"])
    for table in found["tables"]:
        _show_table(console, table, [one for one in found["relations"] if one["table"] == table["name"]])
    _show_relations(console, found["relations"])
    _show_rules(console, found["rules"])
    if found["findings"]:
        show_findings(console, [Finding(**one) for one in found["findings"]])


def _show_files(console: Console, tables: Iterable[Facts], skipped: Iterable[Facts]) -> None:
    grid = make_grid("Files", "Table", "Read from", "Rows")
    for table in tables:
        grid.add_row(Text(table["name"]), Text(_write_origin(table)), Text(f"{table['rows']:,}"))
    for one in skipped:
        grid.add_row(Text("skipped", style="bright_black"), Text(f"{one['file']}: {one['reason']}"), "")
    console.print(grid)


def _write_origin(table: Facts) -> str:
    """Write how a table was read: file, sheet, dialect and counts worth knowing."""
    words = [table["file"], f"sheet {table['sheet']}"] if table["sheet"] else [table["file"]]
    if (dialect := table["dialect"]) is not None:
        words += [dialect["encoding"], dialect["delimiter"], dialect["newline"]]
    words += [f"{count:,} {name.replace('_', ' ')}" for name, count in table["notes"].items() if count]
    return ", ".join(words)


def _show_table(console: Console, table: Facts, relations: Sequence[Facts]) -> None:
    title = f"{table['name']} (original data)" if table["original"] else table["name"]
    grid = make_grid(title, "Column", "Type", "Missing", "Sure", "Why")
    rows = max(1, table["rows"])
    for column in table["columns"]:
        missing = f"{column['missing'] / rows:.1%}" if column["missing"] else ""
        sure = f"{column['confidence']:.0%}" if column["type"] == column["detected"] else ""
        why = _reason(table, column, relations)
        why += f"; personal: {column['personal']}" if column["personal"] else ""
        grid.add_row(*map(Text, (column["name"], column["type"], missing, sure, why)))
    console.print(grid)
    console.print(_key_line(table))
    if table["order_by"]:
        reason = f" ({table['order_reason'] or 'declared'})"
        console.print(Text.assemble(("Order of rows: ", "bold"), table["order_by"], (reason, "bright_black")))
    console.print()


def _reason(table: Facts, column: Facts, relations: Sequence[Facts]) -> str:
    """Say why a column has its type."""
    if column["type"] == column["detected"]:
        return str(column["reason"])
    if column["name"] in table["primary_key"]:
        return "part of the primary key"
    for relation in relations:
        if relation["used"] and column["name"] in relation["columns"]:
            return f"references {relation['references_table']}"
    return f"declared; detected {column['detected']}"


def _key_line(table: Facts) -> Text:
    key, proposed = list(table["primary_key"]), list(table["proposed_key"])
    if proposed and proposed == key:
        reason = f"  {table['key_confidence']:.0%}: {table['key_reason']}"
    elif proposed:
        reason = f"  declared; the data suggest {', '.join(proposed)}"
    else:
        reason = "  declared" if key else ""
    return Text.assemble(("Primary key: ", "bold"), ", ".join(key) or "none", (reason, "bright_black"))


def _show_relations(console: Console, relations: Iterable[Facts]) -> None:
    """Show the keys, and under each on a line of its own why it is one."""
    grid = make_grid("Relations", "Foreign key", "Role", "Sure")
    for one in relations:
        key = (
            f"{one['table']}({', '.join(one['columns'])}) -> "
            f"{one['references_table']}({', '.join(one['references_columns'])})"
        )
        reason = one["reason"] if one["used"] else f"suggested, not used: {one['reason']}"
        why = Text(f"  {reason}", style="bright_black")
        if one["implied"]:
            why.append(f"\n  by {one['implied']}")
        sure = "" if one["confidence"] is None else f"{one['confidence']:.0%}"
        shown = Text(key, style="" if one["used"] else "bright_black")
        grid.add_row(Text.assemble(shown, "\n", why), Text(one["role"]), Text(sure))
    if grid.row_count:
        console.print(grid)


def _show_rules(console: Console, rules: Iterable[Facts]) -> None:
    grid = make_grid("Rules that every row keeps", "Table", "Rule", "Kind", "Why")
    for one in rules:
        grid.add_row(*(Text(one[name]) for name in ("table", "text", "kind", "reason")))
    if grid.row_count:
        console.print(grid)
