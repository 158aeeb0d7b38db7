"""What detection shows fits a terminal, and tells what was declared from what was found."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
from rich.console import Console

from kinsynth.cli.detection import show_detection
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.description import describe
from kinsynth.pipeline.inspect import inspect
from kinsynth.settings.document import parse
from kinsynth.settings.synthesis import Synthesis


def test_the_reason_of_a_relation_stands_on_a_line_of_its_own() -> None:
    tables = {
        "customers": pl.DataFrame({"customer_id": range(40), "age": [20 + n % 9 for n in range(40)]}),
        "orders": pl.DataFrame({"order_id": range(90), "customer_id": [n % 40 for n in range(90)]}),
    }
    words = io.StringIO()
    show_detection(Console(file=words, width=80), detect(tables))
    lines = [line.rstrip() for line in words.getvalue().splitlines()]
    place = next(n for n, line in enumerate(lines) if "orders(customer_id) -> customers(customer_id)" in line)
    assert lines[place].split()[-2:] == ["owner", "99%"]
    assert lines[place + 1].strip().startswith("100.0% of 90 keys occur in customers")
    assert max(map(len, lines)) <= 80


def test_the_way_of_an_implied_key_leaves_the_others_their_width() -> None:
    """It is as long as the keys on it, and stands where the reasons stand."""
    rentals = pl.DataFrame({"rental_id": range(300), "customer_id": [n * 7 % 60 for n in range(300)]})
    payments = pl.DataFrame({"payment_id": range(500), "rental_id": [n * 11 % 300 for n in range(500)]})
    tables = {
        "customers": pl.DataFrame({"customer_id": range(60), "age": [20 + n % 9 for n in range(60)]}),
        "rentals": rentals,
        "payments": payments.join(rentals, on="rental_id"),
    }
    words = io.StringIO()
    show_detection(Console(file=words, width=80), detect(tables))
    lines = [line.strip() for line in words.getvalue().splitlines()]
    place = next(n for n, line in enumerate(lines) if line.startswith("payments(customer_id) -> customers"))
    assert lines[place].split()[-2:] == ["implied", "99%"]
    assert lines[place + 3].startswith("by payments.rental_id -> rentals,")


def test_what_is_declared_is_told_from_what_was_detected() -> None:
    said = parse({"name": "it", "tables": {"customers": {"columns": {"age": {"type": "categorical"}}}}})
    ages = pl.DataFrame({"customer_id": range(40), "age": [20 + n % 9 for n in range(40)]})
    words = io.StringIO()
    show_detection(Console(file=words, width=120), detect({"customers": ages}, said))
    assert "declared; detected integer" in words.getvalue()
    assert "Files" not in words.getvalue()  # they were handed over


def detect(tables: dict[str, pl.DataFrame], synthesis: Synthesis | None = None) -> dict[str, Any]:
    said = synthesis or Synthesis()
    return describe(inspect(tables_from_memory(tables), said), said)
