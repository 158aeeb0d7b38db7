"""What inspection shows fits a terminal."""

from __future__ import annotations

import io

import polars as pl
from rich.console import Console

from kinsynth.cli.inspection import show_inspection
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.pipeline.inspect import inspect
from kinsynth.settings.synthesis import Synthesis


def test_the_reason_of_a_relation_stands_on_a_line_of_its_own() -> None:
    tables = {
        "customers": pl.DataFrame({"customer_id": range(40), "age": [20 + n % 9 for n in range(40)]}),
        "orders": pl.DataFrame({"order_id": range(90), "customer_id": [n % 40 for n in range(90)]}),
    }
    words = io.StringIO()
    found = inspect(tables_from_memory(tables), Synthesis())
    show_inspection(Console(file=words, width=80), found)
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
    show_inspection(Console(file=words, width=80), inspect(tables_from_memory(tables), Synthesis()))
    lines = [line.strip() for line in words.getvalue().splitlines()]
    place = next(n for n, line in enumerate(lines) if line.startswith("payments(customer_id) -> customers"))
    assert lines[place].split()[-2:] == ["implied", "99%"]
    assert lines[place + 3].startswith("by payments.rental_id -> rentals,")
