"""Tables with planted rules, and tables without any."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from kinsynth.rules.view import View

MINIMUM = 5
KINDS = {
    "int64": "integer",
    "double": "numeric",
    "string": "categorical",
    "bool": "boolean",
    "date32[day]": "date",
    "timestamp[us]": "datetime",
    "time64[us]": "time",
}


def view_of(table: pa.Table, root_R: np.ndarray | None = None) -> View:
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    kinds = {name: KINDS[str(values.type)] for name, values in columns.items()}
    roots = np.arange(table.num_rows) if root_R is None else root_R
    return View(columns, kinds, roots, MINIMUM)


def with_missing(values: pa.Array, chance: np.random.Generator, share: float) -> pa.Array:
    mask = chance.random(len(values)) < share
    return pa.array(values.to_pylist(), values.type, mask=mask)


def independent_column(number: int, rows: int, chance: np.random.Generator) -> pa.Array:
    """Give a column of one of ten kinds."""
    day = pa.array((18_000 + chance.integers(0, 1_000, rows)).astype(np.int32))
    match number % 10:
        case 0:
            return pa.array(chance.integers(0, 100, rows))
        case 1:
            return pa.array(np.round(chance.lognormal(3, 1, rows), 2))
        case 2:
            return pa.array(chance.normal(size=rows))
        case 3:
            return pa.array(
                chance.choice(list("abcdefgh"), rows, p=[0.5, 0.2, 0.1, 0.1, 0.04, 0.03, 0.02, 0.01])
            )
        case 4:
            return pa.array(chance.random(rows) < 0.02)
        case 5:
            return day.cast(pa.date32())
        case 6:
            seconds = 1_600_000_000 + chance.integers(0, 10**8, rows)
            return pa.array(seconds * 1_000_000).cast(pa.timestamp("us"))
        case 7:
            return pa.array((chance.random(rows) < 0.01).astype(np.int64))
        case 8:
            return pa.array(np.char.add("k", chance.integers(0, rows // 4, rows).astype(str)))
        case _:
            return pa.array(chance.poisson(0.3, rows))


def independent_table(seed: int, *, rows: int = 2_000, columns: int = 50) -> pa.Table:
    chance = np.random.default_rng(seed)
    made = {}
    for number in range(columns):
        values = independent_column(number, rows, chance)
        if number % 3 == 0:
            values = with_missing(values, chance, [0.3, 0.02, 0.9][number % 9 // 3])
        made[f"c{number:02}"] = values
    return pa.table(made)


def planted_table(seed: int, *, rows: int = 2_000) -> pa.Table:
    """Give a table in which one rule of every kind holds."""
    chance = np.random.default_rng(seed)
    net = np.round(chance.lognormal(3, 1, rows), 2)
    tax = np.round(net * chance.choice([0.04, 0.1, 0.22], rows), 2)
    quantity = chance.integers(1, 20, rows)
    price = np.round(chance.gamma(2, 20, rows), 2)
    start = 18_000 + chance.integers(0, 500, rows)
    end = start + chance.integers(0, 400, rows)
    city = chance.integers(0, 30, rows)
    status = chance.choice(["open", "shipped", "lost"], rows, p=[0.3, 0.6, 0.1])
    weight = np.round(chance.gamma(3, 2, rows), 1)
    seen = chance.random(rows) < 0.8
    model = chance.integers(0, 6, rows)
    return pa.table(
        {
            "net": pa.array(net, mask=~seen),
            "tax": tax,
            "gross": pa.array(np.round(net + tax, 2), mask=~seen),
            "quantity": quantity,
            "price": price,
            "amount": np.round(quantity * price, 2),
            "start": pa.array(start.astype(np.int32)).cast(pa.date32()),
            "end": with_missing(pa.array(end.astype(np.int32)).cast(pa.date32()), chance, 0.1),
            "start_month": pa.array(start.astype(np.int32))
            .cast(pa.date32())
            .to_pandas()
            .map(lambda d: d.month),
            "city": [f"city {one}" for one in city],
            "country": [f"country {one % 7}" for one in city],
            "city_again": [f"city {one}" for one in city],
            "status": status,
            "carrier": pa.array(chance.choice(["x", "y"], rows), mask=status == "open"),
            "celsius": np.round(weight, 1),
            "model": [f"model {one}" for one in model],
            "colour": [f"colour {one}" for one in (model + chance.choice([0, 1, 3], rows)) % 6],
            "fahrenheit": np.round(1.8 * weight + 32, 2),
        }
    )
