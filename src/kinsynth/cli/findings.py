"""Shows findings and the complexity assessment."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kinsynth.errors import Finding

if TYPE_CHECKING:
    from kinsynth.pipeline.complexity import Assessment

STEPS = {
    "data": "Choose data",
    "primary_keys": "Primary keys",
    "foreign_keys": "Foreign keys",
    "treatment": "Data treatment",
    "settings": "Settings",
}
STYLES = {"error": "bold red", "warning": "yellow", "notice": "cyan"}


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Show findings grouped by configuration step, errors first within each.

    Where no terminal shows them each is one line, so that other programs find every word whole.
    """
    steps = [*STEPS, *sorted({finding.step for finding in findings} - STEPS.keys())]
    for step in steps:
        if group := [finding for finding in findings if finding.step == step]:
            title, group = STEPS.get(step, step), sorted(group, key=_rank)
            if console.is_terminal:
                console.print(_findings_table(title, group))
            else:
                console.print(Text("\n".join([title, *map(_findings_line, group), ""])), soft_wrap=True)
    console.print(Text(_count_findings(findings)))


def _rank(finding: Finding) -> int:
    return list(STYLES).index(finding.severity)


def _findings_line(finding: Finding) -> str:
    return f"  {finding.severity}: {finding}"


def _findings_table(title: str, findings: Iterable[Finding]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=True, box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    table.add_column("Where", ratio=2, overflow="fold")
    table.add_column("Finding", ratio=5, overflow="fold")
    for finding in findings:
        words = Text.assemble(
            finding.message, " ", (finding.remedy, "italic"), " ", (f"[{finding.code}]", "bright_black")
        )
        table.add_row(Text(finding.severity, style=STYLES[finding.severity]), Text(finding.where), words)
    return table


def _count_findings(findings: Sequence[Finding]) -> str:
    counts = {name: sum(finding.severity == name for finding in findings) for name in STYLES}
    words = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items() if count]
    return ", ".join(words) + "." if words else "No findings."


def show_assessment(console: Console, assessment: Assessment) -> None:
    """Show what a run would cost, what drives it, and what would make it cheaper."""
    verdict = {"good": "green", "slow": "yellow", "poor": "red"}[assessment.verdict]
    time, memory = describe_time(assessment.seconds), describe_size(assessment.peak_memory_bytes)
    reason = f" ({assessment.reason})" if assessment.reason else ""
    cost = f"{reason}, about {time} and {memory} of memory."
    console.print(
        Text.assemble(("Complexity: ", "bold"), (assessment.verdict, verdict), cost), soft_wrap=True
    )
    for driver in assessment.drivers:
        console.print(
            Text(f"  {driver.share:4.0%}  {driver.name}{f' ({driver.where})' if driver.where else ''}")
        )
    for suggestion in assessment.suggestions:
        options = " ".join(f"--{path} {shlex.quote(value)}" for path, value in suggestion.overrides.items())
        console.print(Text.assemble("  ", suggestion.message, ("  " + options, "cyan")), soft_wrap=True)


def describe_time(seconds: float) -> str:
    """Write a time for people.

    >>> [describe_time(value) for value in (0.42, 7, 95, 4000, 200_000)]
    ['0.4 s', '7 s', '1 min 35 s', '1 h 6 min', '2 d 7 h']
    """
    if seconds < 0.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for large, large_name, small, small_name in _TIME_UNITS:
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large} {large_name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"


_TIME_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))


def describe_size(size_bytes: float) -> str:
    """Write a size for people.

    >>> [describe_size(value) for value in (900, 2_500_000, 3_200_000_000)]
    ['900 B', '2.5 MB', '3.2 GB']
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes:.0f} B"
