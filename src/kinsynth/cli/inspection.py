"""Shows what a source holds: files, tables, types, keys and relations, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table as Grid
from rich.text import Text

from kinsynth.cli.findings import show_findings
from kinsynth.rules.wording import write_rule
from kinsynth.schema.paths import write_path

if TYPE_CHECKING:
    from kinsynth.connectors.base import Listing, SourceTable
    from kinsynth.pipeline.inspect import Inspection
    from kinsynth.rules.detect import Proposal
    from kinsynth.schema.table import Column, Relation, Table


def show_inspection(
    console: Console, inspection: Inspection, rules: Mapping[str, Sequence[Proposal]] | None = None
) -> None:
    """Show an inspection, table by table, then relations, rules and what stands in the way."""
    if inspection.listing is not None:
        _show_files(console, inspection.listing)
    for table in inspection.schema.tables.values():
        _show_table(console, inspection, table)
    _show_relations(console, inspection)
    _show_rules(console, rules or {})
    if inspection.findings:
        show_findings(console, inspection.findings)


def _show_files(console: Console, listing: Listing) -> None:
    grid = make_grid("Files", "Table", "Read from", "Rows")
    for table in listing.tables:
        grid.add_row(Text(table.name), Text(describe_file(table)), Text(f"{table.rows:,}"))
    for skipped in listing.skipped:
        grid.add_row(Text("skipped", style="bright_black"), Text(f"{skipped.file}: {skipped.reason}"), "")
    console.print(grid)


def describe_file(table: SourceTable) -> str:
    """Write how a table was read: file, sheet, dialect and counts worth knowing."""
    words = [table.file, f"sheet {table.sheet}"] if table.sheet else [table.file]
    if table.dialect is not None:
        words += [table.dialect.encoding, table.dialect.delimiter, table.dialect.newline]
    words += [f"{count:,} {name.replace('_', ' ')}" for name, count in table.notes.items() if count]
    return ", ".join(words)


def _show_table(console: Console, inspection: Inspection, table: Table) -> None:
    title = f"{table.name} (original data)" if table.original else table.name
    grid = make_grid(title, "Column", "Type", "Missing", "Sure", "Why")
    rows = max(1, inspection.tables[table.name].num_rows)
    for column in table.columns:
        confidence, reason = _reason(inspection, table, column)
        personal = inspection.detected[table.name][column.name].personal
        reason += f"; personal: {personal}" if personal else ""
        nulls = inspection.tables[table.name].column(column.name).null_count
        missing = f"{nulls / rows:.1%}" if nulls else ""
        grid.add_row(*map(Text, (column.name, column.type, missing, confidence, reason)))
    console.print(grid)
    console.print(_key_line(inspection, table))
    if table.order_by is not None:
        proposal = inspection.order_proposals.get(table.name)
        known = proposal is not None and proposal.column == table.order_by
        reason = f" ({proposal.reason})" if proposal is not None and known else " (declared)"
        console.print(Text.assemble(("Order of rows: ", "bold"), table.order_by, (reason, "bright_black")))
    console.print()


def _reason(inspection: Inspection, table: Table, column: Column) -> tuple[str, str]:
    """Give the confidence and the reason of a column's type."""
    found = inspection.detected[table.name][column.name]
    if column.type == found.type:
        return f"{found.confidence:.0%}", found.reason
    if column.name in table.primary_key:
        return "", "part of the primary key"
    relations = [one for one in inspection.schema.outgoing(table.name) if column.name in one.columns]
    if relations:
        return "", f"references {relations[0].references_table}"
    return "", f"declared; detected {found.type}"


def _key_line(inspection: Inspection, table: Table) -> Text:
    proposal = inspection.key_proposals.get(table.name)
    key = ", ".join(table.primary_key) or "none"
    if proposal is not None and proposal.columns == table.primary_key:
        reason = f"  {proposal.confidence:.0%}: {proposal.reason}"
    elif proposal is not None:
        reason = f"  declared; the data suggest {', '.join(proposal.columns)}"
    else:
        reason = "  declared" if table.primary_key else ""
    return Text.assemble(("Primary key: ", "bold"), key, (reason, "bright_black"))


def _show_relations(console: Console, inspection: Inspection) -> None:
    grid = make_grid("Relations", "Foreign key", "Role", "Sure")
    proposals = {str(one.relation): one for one in inspection.relation_proposals}
    for relation in inspection.schema.relations:
        proposal = proposals.pop(str(relation), None)
        sure, reason = (f"{proposal.confidence:.0%}", proposal.reason) if proposal else ("", "declared")
        way = _write_way(inspection, relation)
        _add_relation(grid, Text(str(relation)), reason + way, _write_role(inspection, relation), sure)
    for line, proposal in proposals.items():
        reason = f"suggested, not used: {proposal.reason}"
        _add_relation(grid, Text(line, style="bright_black"), reason, "", f"{proposal.confidence:.0%}")
    if grid.row_count:
        console.print(grid)


def _add_relation(grid: Grid, key: Text, reason: str, role: str, sure: str) -> None:
    """Add a key, and under it on a line of its own why it is one."""
    why = Text(f"  {reason}", style="bright_black")
    grid.add_row(Text.assemble(key, "\n", why), Text(role), Text(sure))


def _write_role(inspection: Inspection, relation: Relation) -> str:
    """Say what a key is for: owner, further key, reference, or implied by others."""
    original = inspection.schema.tables[relation.references_table].original
    return "reference" if original and relation.role != "implied" else relation.role


def _write_way(inspection: Inspection, relation: Relation) -> str:
    """Say from which keys an implied one follows."""
    found = inspection.key_facts.get(relation)
    return f"\n  by {write_path(found.implied)}" if found is not None and found.implied else ""


def _show_rules(console: Console, rules: Mapping[str, Sequence[Proposal]]) -> None:
    grid = make_grid("Rules that every row keeps", "Table", "Rule", "Kind", "Why")
    for table, proposals in rules.items():
        for one in proposals:
            text = write_rule(one.rule.kind, one.rule.columns)
            grid.add_row(Text(table), Text(text), Text(one.rule.kind), Text(one.reason))
    if grid.row_count:
        console.print(grid)


def make_grid(title: str, *headings: str) -> Grid:
    """Make an empty table of the screen."""
    grid = Grid(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, expand=True)
    for heading in headings:
        side: JustifyMethod = "right" if heading in {"Rows", "Sure", "Missing"} else "left"
        ratio = 3 if heading in {"Why", "Read from", "Foreign key"} else None
        grid.add_column(heading, justify=side, overflow="fold", ratio=ratio)
    return grid
