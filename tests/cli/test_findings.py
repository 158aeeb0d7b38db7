"""Findings and the assessment are shown in full."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from kinsynth.cli.findings import describe_time, show_assessment, show_findings
from kinsynth.errors import Finding
from kinsynth.pipeline.complexity import Assessment, Verdict


def shown(*findings: Finding) -> str:
    """What a narrow terminal shows."""
    words = io.StringIO()
    show_findings(Console(file=words, width=80), findings)
    return words.getvalue()


def test_findings_are_grouped_by_step() -> None:
    """Steps stand in the order of the configuration, errors before warnings, brackets as they are."""
    words = shown(
        Finding("settings.not_available", "error", "privacy", "Not built.", "Remove it.", "settings"),
        Finding("data.small", "notice", "t[1]", "Few rows.", "", "data"),
        Finding("data.none", "error", "t", "No rows.", "Add some.", "data"),
    )
    order = ["Choose data", "[data.none]", "[data.small]", "Settings", "[settings.not_available]", "2 errors"]
    assert sorted(order, key=words.index) == order
    assert "t[1]" in words


LONG = "tables.film_actor_and_more.foreign_keys.12.references.and_a_place_that_is_long"


def test_without_a_terminal_each_finding_is_one_whole_line() -> None:
    """Other programs find place, message and code unbroken."""
    finding = Finding("data.none", "error", LONG, "No rows. " * 20, "Add some.", "data")
    lines = shown(finding).splitlines()
    assert f"  error: {finding}" in lines
    assert lines[0] == "Choose data"


def test_a_terminal_shows_a_table_within_its_width() -> None:
    """There, words are folded rather than lost."""
    words = io.StringIO()
    finding = Finding("data.none", "error", LONG, "No rows.", "Add some.", "data")
    show_findings(Console(file=words, width=80, force_terminal=True, color_system=None), [finding])
    assert max(map(len, words.getvalue().splitlines())) <= 80
    assert LONG not in words.getvalue()


def test_nothing_found() -> None:
    """No findings are said too."""
    assert shown() == "No findings.\n"


def test_times_at_their_borders() -> None:
    """A time is rounded before its unit is chosen."""
    assert [describe_time(value) for value in (59.6, 60, 3599.6, 86_399.7)] == [
        "1 min",
        "1 min",
        "1 h",
        "1 d",
    ]


@pytest.mark.parametrize(
    ("verdict", "reason", "line"),
    [
        ("good", "", "Complexity: good, about 8 s and 600.0 MB of memory.\n"),
        ("poor", "few root rows", "Complexity: poor (few root rows), about 8 s and 600.0 MB of memory.\n"),
    ],
)
def test_the_verdict_stands_with_its_reason(verdict: Verdict, reason: str, line: str) -> None:
    """A verdict that is not good is never without a reason, and stays on one line."""
    words = io.StringIO()
    show_assessment(Console(file=words, width=40), Assessment(8.0, 600_000_000, (), verdict, reason, ()))
    assert words.getvalue() == line
