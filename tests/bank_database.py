"""A made-up bank: its moments never stand before those of owners, of their owners, of rows pointed at."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl

CUSTOMERS, CLERKS, DESKS, SPREAD = 240, 60, 80, 900
FIRST = dt.date(2015, 1, 1)
LETTER = 5


def make_bank(seed: int = 1) -> dict[str, pl.DataFrame]:
    """Make tables in which each order would often break by chance.

    An account is opened with its customer's sign-up or later; no transfer goes through it before, or after it
    is closed. A card is issued after the opening, by a clerk who was hired by then; its first use, if any, is
    later than its issue. At the desks notes are written about cards that are issued. A letter goes out some
    days before or after an account is opened.
    """
    chance = random.Random(seed)

    def after(day: dt.date, least: int, mean: float) -> dt.date:
        return day + dt.timedelta(days=least + int(chance.expovariate(1 / mean)))

    clerks = [(n, FIRST + dt.timedelta(days=chance.randint(0, SPREAD))) for n in range(CLERKS)]
    customers, accounts, transfers, cards, notes = ([] for _ in range(5))
    for n in range(CUSTOMERS):
        customers.append((n, FIRST + dt.timedelta(days=chance.randint(0, SPREAD)), chance.choice("ab")))
        for _ in range(chance.randint(1, 2)):
            account, opened = len(accounts), after(customers[n][1], 0, 60.0)
            closed = after(opened, 0, 90.0)
            accounts.append((account, n, opened, closed, chance.choice(["plain", "gold"])))
            day = opened
            for _ in range(chance.randint(0, 3)):
                day = min(after(day, 0, 25.0), closed)
                transfers.append((len(transfers), account, day, round(chance.lognormvariate(3, 1), 2)))
            clerk = chance.randrange(CLERKS)
            issued = after(max(opened, clerks[clerk][1]), 1, 40.0)
            used = dt.datetime.combine(issued, dt.time()) + dt.timedelta(minutes=chance.randint(1, 40_000))
            letter = opened + dt.timedelta(days=chance.randint(-LETTER, LETTER))
            used_if = None if chance.random() < 0.1 else used
            cards.append((len(cards), account, clerk, issued, used_if, letter))
            written = after(issued, 0, 30.0)
            notes.append((len(notes), chance.randrange(DESKS), len(cards) - 1, written))
    frames = {
        "clerk": (["clerk_id", "hired"], clerks),
        "customer": (["customer_id", "signed", "kind"], customers),
        "account": (["account_id", "customer_id", "opened", "closed", "tariff"], accounts),
        "transfer": (["transfer_id", "account_id", "day", "amount"], transfers),
        "card": (["card_id", "account_id", "clerk_id", "issued", "used", "letter"], cards),
        "desk": (["desk_id", "floor"], [(n, n % 3) for n in range(DESKS)]),
        "note": (["note_id", "desk_id", "card_id", "written"], notes),
    }
    return {
        name: pl.DataFrame(rows, schema=columns, orient="row") for name, (columns, rows) in frames.items()
    }


def bank_document(**parts: Any) -> dict[str, Any]:
    """Give the document of a quick fit."""
    tables = {
        "clerk": {"primary_key": ["clerk_id"]},
        "customer": {"primary_key": ["customer_id"]},
        "account": _keys("account_id", customer_id="customer"),
        "transfer": {**_keys("transfer_id", account_id="account"), "order_by": "day"},
        "card": _keys("card_id", account_id="account", clerk_id="clerk"),
        "desk": {"primary_key": ["desk_id"]},
        "note": {**_keys("note_id", desk_id="desk", card_id="card"), "order_by": "written"},
    }
    return {
        "name": "bank",
        "roots": "many",
        "source": {"kind": "memory"},
        "tables": tables,
        "training": {"max_epochs": 1, "threads": 1, "model_size": "small", "training_steps": 3},
        "generation": {"seed": 3},
        **parts,
    }


def _keys(own: str, **others: str) -> dict[str, Any]:
    named = [
        {"columns": [key], "table": table, "references": [key], "owner": number == 0}
        for number, (key, table) in enumerate(others.items())
    ]
    return {"primary_key": [own], "foreign_keys": named}


def broken_orders(tables: dict[str, pl.DataFrame]) -> dict[str, int]:
    """Count the rows in which an order across tables does not hold."""
    account = tables["account"].join(tables["customer"], on="customer_id")
    card = tables["card"].join(account, on="account_id").join(tables["clerk"], on="clerk_id")
    transfer = tables["transfer"].join(account, on="account_id")
    note = tables["note"].join(card, on="card_id")
    return {
        "opened": account.filter(pl.col("opened") < pl.col("signed")).height,
        "day": transfer.filter(pl.col("day") < pl.col("opened")).height,
        "closed": transfer.filter(pl.col("day") > pl.col("closed")).height,
        "issued": card.filter(pl.col("issued") <= pl.col("opened")).height,
        "hired": card.filter(pl.col("issued") <= pl.col("hired")).height,
        "used": card.filter(pl.col("used").dt.date() < pl.col("opened")).height,
        "written": note.filter(pl.col("written") < pl.col("issued")).height,
    }
