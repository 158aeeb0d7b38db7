"""Made-up databases and documents of any shape: odd keys, odd types, odd settings; small enough to run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

Cells = list[Any]
_DAY = dt.date(2001, 2, 3)
_ZONE = dt.timezone(dt.timedelta(hours=2))


def _moment(chance: Random) -> dt.datetime:
    return dt.datetime(2001, 2, 3) + dt.timedelta(seconds=chance.randrange(10**8))


_WORDS = ("red", "green", "Ölblau", 'a "b", c', "NA", "", " x ", "=1+1", "0", "true")
_CELLS: dict[str, Callable[[Random], Any]] = {
    "integer": lambda chance: chance.randint(-5, 900),
    "big": lambda chance: chance.choice([2**63 - 1, -(2**63), 0, 10**17 + chance.randrange(99)]),
    "unsigned": lambda chance: chance.choice([2**64 - 1, 0, 2**63 + chance.randrange(9)]),
    "float": lambda chance: chance.gauss(0, 1e3),
    "odd_float": lambda chance: chance.choice([0.0, -0.0, 1e300, -1e300, 5e-324, chance.random()]),
    "nan": lambda chance: chance.choice([float("nan"), 1.5, float("inf"), -float("inf")]),
    "price": lambda chance: round(chance.lognormvariate(3, 1), 2),
    "decimal": lambda chance: Decimal(chance.randrange(10**9)).scaleb(-4),
    "boolean": lambda chance: chance.random() < 0.3,
    "date": lambda chance: _DAY + dt.timedelta(days=chance.randrange(4000)),
    "old_date": lambda chance: chance.choice([dt.date(1, 1, 1), dt.date(9999, 12, 31), _DAY]),
    "time": lambda chance: (dt.datetime(1, 1, 1) + dt.timedelta(seconds=chance.randrange(86400))).time(),
    "datetime": _moment,
    "zoned": lambda chance: _moment(chance).replace(tzinfo=_ZONE),
    "category": lambda chance: chance.choice(_WORDS[:3]),
    "word": lambda chance: chance.choice(_WORDS),
    "code": lambda chance: f"X-{chance.randrange(10**6):06}",
    "sentence": lambda chance: " ".join(chance.choice(_WORDS) for _ in range(12)),
    "constant": lambda chance: "same",
    "missing": lambda chance: None,
}
_ARROW = {
    "unsigned": pa.uint64(),
    "decimal": pa.decimal128(12, 4),
    "zoned": pa.timestamp("us", "Europe/Rome"),
    "missing": pa.string(),
}
_TYPES = (
    "boolean",
    "categorical",
    "integer",
    "numeric",
    "date",
    "time",
    "datetime",
    "coordinates",
    "text",
    "identifier",
)
_BOUNDS = ("0", "10", "2001-05-01", "12:30:00", "-3.5", "red", "100000")


@dataclass
class MadeUp:
    """A database and a document about it.

    Attributes:
        cells: Columns by table.
        kinds: Kind of cells by table and column.
        tables: What the document says of tables.
        rest: What it says besides.
    """

    chance: Random
    cells: dict[str, dict[str, Cells]] = field(default_factory=dict)
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def rows(self, table: str) -> int:
        return len(next(iter(self.cells[table].values())))

    def write(self, folder: Path) -> None:
        """Write each table as CSV or Parquet."""
        folder.mkdir(parents=True)
        for name, columns in self.cells.items():
            table = pa.table(
                {
                    column: pa.array(cells, _ARROW.get(self.kinds.get((name, column), "")))
                    for column, cells in columns.items()
                }
            )
            if self.maybe(0.5):
                pq.write_table(table, folder / f"{name}.parquet")
            else:
                plain = [
                    column.cast(pa.string()) if pa.types.is_decimal(column.type) else column
                    for column in table.columns
                ]
                pyarrow.csv.write_csv(pa.table(plain, names=table.column_names), folder / f"{name}.csv")

    def document(self, source: Path) -> dict[str, Any]:
        """Give the document."""
        return {
            "source": {"paths": [str(source)]},
            "tables": self.tables,
            "training": {"max_epochs": 1, "threads": 1, "model_size": "small"},
            "report": {"enabled": False},
            **self.rest,
        }


def make_up(seed: int) -> MadeUp:
    """Make up a database and a document."""
    made = MadeUp(Random(seed))
    chance = made.chance
    for number in range(chance.choice([0, 0, 1, 2])):
        _lookup(made, f"lookup_{number}")
    for number in range(chance.choice([1, 1, 1, 2])):
        _root(made, f"root_{number}")
    for number in range(chance.choice([0, 1, 1, 2, 3])):
        _child(made, f"child_{number}")
    for name in list(made.cells):
        _columns(made, name)
    for name in list(made.cells):
        _say(made, name)
    _rest(made)
    return made


def _key_cells(made: MadeUp, rows: int) -> Cells:
    """Give unique values of one of the kinds keys have."""
    kind = made.chance.choice(["count", "code", "big", "uuid", "float", "date", "decimal"])
    numbers = (
        made.chance.sample(range(1, 50 * max(rows, 1)), rows) if made.maybe(0.5) else list(range(1, rows + 1))
    )
    write: dict[str, Callable[[int], Any]] = {
        "count": lambda n: n,
        "code": lambda n: f"K{n:05}",
        "big": lambda n: 10**17 + n,
        "uuid": lambda n: f"{n:08x}-0000-4000-8000-{n * 7919:012x}",
        "float": float,
        "date": lambda n: _DAY + dt.timedelta(days=n),
        "decimal": Decimal,
    }
    return [write[kind](number) for number in numbers]


def _lookup(made: MadeUp, name: str) -> None:
    rows = made.chance.choice([1, 3, 12, 40])
    made.cells[name] = {"id": _key_cells(made, rows)}
    made.tables[name] = {"original": True, "primary_key": ["id"]}
    if made.maybe(0.3):
        made.cells[name]["other"] = [f"L{n}" for n in range(rows)]
    if name == "lookup_1" and made.maybe(0.5):
        _refer(made, name, "lookup_0")


def _root(made: MadeUp, name: str) -> None:
    rows = made.chance.choice([25, 40, 80, 3]) if made.maybe(0.1) else made.chance.choice([30, 60, 90])
    made.cells[name] = {"id": _key_cells(made, rows)}
    made.tables[name] = {}
    if made.maybe(0.8):
        made.tables[name]["primary_key"] = ["id"]
    if made.maybe(0.15):
        made.cells[name]["part"] = [n % 3 for n in range(rows)]
        made.tables[name]["primary_key"] = ["id", "part"]
    if made.maybe(0.2):
        made.cells[name]["also_unique"] = _key_cells(made, rows)
    for lookup in [table for table in made.cells if table.startswith("lookup")]:
        if made.maybe(0.7):
            _refer(made, name, lookup, missing=made.maybe(0.2))
    if made.maybe(0.05):
        _refer(made, name, name, missing=True)


def _child(made: MadeUp, name: str) -> None:
    chance = made.chance
    parents = [table for table in made.cells if not table.startswith("lookup")]
    parent = chance.choice(parents)
    made.tables[name] = {"foreign_keys": []}
    places = list(range(made.rows(parent)))
    shape = chance.choice(["many", "many", "many", "one", "some", "none", "numbered"])
    if shape in ("many", "numbered"):
        places = [place for place in places for _ in range(chance.choice([0, 1, 1, 3, 5]))]
    elif shape != "one":
        places = chance.sample(places, len(places) // 2 if shape == "some" else 0)
    target = list(made.tables[parent].get("primary_key") or [next(iter(made.cells[parent]))])
    if target == ["id"] and "also_unique" in made.cells[parent] and made.maybe(0.5):
        target = ["also_unique"]
    link = [f"{parent}_{column}" for column in target]
    made.cells[name] = {
        own: [made.cells[parent][column][place] for place in places]
        for own, column in zip(link, target, strict=True)
    }
    key: dict[str, Any] = {"columns": link, "table": parent}
    if target != made.tables[parent].get("primary_key"):
        key["references"] = target
    if places and made.maybe(0.15):
        for own in link:
            if isinstance(made.cells[name][own][0], int):
                made.cells[name][own][0] = -77
        key["orphans"] = chance.choice(["drop", "null", "refuse"])
    made.tables[name]["foreign_keys"].append(key)
    if shape in ("one", "some") and made.maybe(0.6):
        made.tables[name]["primary_key"] = link
    elif shape == "numbered":
        counted: dict[int, int] = {}
        lines = []
        for place in places:
            counted[place] = counted.get(place, 0) + 1
            lines.append(counted[place])
        made.cells[name]["line"] = lines
        made.tables[name]["primary_key"] = [*link, "line"]
    elif made.maybe(0.7):
        made.cells[name]["id"] = _key_cells(made, len(places))
        made.tables[name]["primary_key"] = ["id"]
    for lookup in [table for table in made.cells if table.startswith("lookup")]:
        if made.maybe(0.4):
            _refer(made, name, lookup, missing=made.maybe(0.2))
    if made.maybe(0.08):
        other = chance.choice(parents)
        _refer(made, name, other, missing=False)
    if made.maybe(0.02) and made.tables[name]["foreign_keys"]:
        made.tables[name]["foreign_keys"].append(dict(chance.choice(made.tables[name]["foreign_keys"])))


def _refer(made: MadeUp, name: str, other: str, *, missing: bool = False) -> None:
    """Add a column that names rows of another table, and its foreign key."""
    target = "other" if "other" in made.cells[other] and made.maybe(0.3) else next(iter(made.cells[other]))
    known = made.cells[other][target]
    column = f"{other}_{target}_{len(made.cells[name])}"
    rows = made.rows(name)
    cells = [made.chance.choice(known) if known else None for _ in range(rows)]
    if missing:
        cells = [None if made.maybe(0.2) else cell for cell in cells]
    made.cells[name][column] = cells
    keys = made.tables[name].setdefault("foreign_keys", [])
    keys.append({"columns": [column], "table": other, "references": [target]})
    if made.maybe(0.02):
        keys.append({"columns": [column], "table": other, "references": [target]})
    elif made.maybe(0.1) and "other" in made.cells[other] and target == "id":
        keys.append({"columns": [column], "table": other, "references": ["other"]})
    if made.maybe(0.1) and made.tables[name].get("primary_key"):
        made.tables[name]["primary_key"] = [*made.tables[name]["primary_key"], column]


def _columns(made: MadeUp, name: str) -> None:
    rows = made.rows(name)
    for number in range(made.chance.choice([0, 1, 2, 3, 5])):
        kind = made.chance.choice(list(_CELLS))
        column = f"{kind}_{number}"
        cells = [_CELLS[kind](made.chance) for _ in range(rows)]
        if made.maybe(0.3):
            cells = [None if made.maybe(0.3) else cell for cell in cells]
        made.cells[name][column] = cells
        made.kinds[name, column] = kind
    if made.maybe(0.15):
        made.cells[name]["latitude"] = [round(made.chance.uniform(44, 46), 5) for _ in range(rows)]
        made.cells[name]["longitude"] = [round(made.chance.uniform(7, 9), 5) for _ in range(rows)]
        if made.maybe(0.4):
            made.cells[name]["latitude"] = [
                None if made.maybe(0.2) else cell for cell in made.cells[name]["latitude"]
            ]


def _say(made: MadeUp, name: str) -> None:
    """Say something about columns and the order of rows."""
    chance, table = made.chance, made.tables[name]
    columns = list(made.cells[name])
    if made.maybe(0.3):
        table["order_by"] = chance.choice([*columns, ""])
    if made.maybe(0.04):
        table["original"] = True
    if made.maybe(0.03):
        table["include"] = False
    if made.maybe(0.05):
        table["primary_key"] = [chance.choice(columns)]
    if made.maybe(0.1):
        table.pop("foreign_keys", None)
    said = {}
    for column in columns:
        if made.maybe(0.15):
            said[column] = _option(made, column)
    if said:
        table["columns"] = said


def _option(made: MadeUp, column: str) -> dict[str, Any]:
    chance, bound = made.chance, made.chance.choice(_BOUNDS)
    if made.maybe(0.85):
        return _fitting(made, column)
    options: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: {"type": chance.choice(_TYPES)},
        lambda: {"type": chance.choice(_TYPES)},
        lambda: {"type": chance.choice(_TYPES), "missing": "impute"},
        lambda: {"include": False},
        lambda: {"treatment": "leave_out"},
        lambda: {"missing": "impute"},
        lambda: {"never": [bound]},
        lambda: {"never": ["red", "true", "0"]},
        lambda: {"special_values": [bound]},
        lambda: {"minimum": bound},
        lambda: {"maximum": bound},
        lambda: {"non_negative": True},
        lambda: {"outlier_quantile": 0.1, "outliers": chance.choice(["clip", "impute"])},
        lambda: {"decimals": chance.choice([0, 1, 15])},
        lambda: {"granularity": chance.choice(["year", "month", "day", "hour", "second"])},
        lambda: {"rare_replacement": chance.choice(["label", "drop", "invent"])},
        lambda: {"rare_minimum": chance.choice([1, 50])},
        lambda: {"rare_share": 0.5},
        lambda: {"pair": "longitude", "type": "coordinates"},
        lambda: {"bounding_box": [40, 5, 50, 10]},
        lambda: {"format": chance.choice(["%Y-%m-%d", "%d/%m/%Y", "%H:%M:%S"])},
        lambda: {"decimal_mark": chance.choice(["point", "comma"])},
    )
    return chance.choice(options)()


_FITTING: dict[str, str] = {
    "integer": "minimum 10, maximum 500, special_values 0, never 7, non_negative, quantile, "
    "type categorical, type numeric, type identifier",
    "big": "minimum 0, type categorical, type identifier, special_values 0, non_negative, type numeric",
    "unsigned": "minimum 0, type categorical, type identifier, non_negative, type numeric",
    "float": "minimum 10, decimals 0, decimals 1, quantile, special_values 0, non_negative, "
    "type identifier, type categorical",
    "odd_float": "decimals 15, quantile, non_negative, minimum 0",
    "price": "decimals 0, decimals 5, special_values 10, maximum 30, quantile, type categorical",
    "decimal": "decimals 2, quantile, non_negative, maximum 100, special_values 0",
    "boolean": "never true, type categorical, type integer, drop, label",
    "date": "granularity month, granularity year, minimum 2005-01-01, never 2001-02-03, quantile, "
    "type categorical, type datetime, type identifier",
    "old_date": "granularity month, quantile, special_values 2001-02-03, type datetime",
    "time": "granularity hour, minimum 12:00:00, quantile, special_values 00:00:00, type categorical",
    "datetime": "granularity day, granularity second, quantile, type date, type categorical",
    "zoned": "granularity day, quantile, type categorical, type identifier",
    "category": "never red, drop, label, invent, share, type identifier, type text, minimum_count",
    "word": "drop, label, invent, share, never NA, type identifier, type text",
    "code": "type categorical, type text, drop, invent",
    "sentence": "type categorical, type identifier",
    "constant": "never same, type identifier, drop, label",
    "missing": "type integer, type date, type identifier, type boolean, type numeric",
}


def _fitting(made: MadeUp, name: str) -> dict[str, Any]:
    kind = name.rpartition("_")[0]
    word, _, value = made.chance.choice(
        [*filter(None, _FITTING.get(kind, "").split(", ")), "impute", "include", "leave_out"]
    ).partition(" ")
    said: dict[str, Any] = {
        "impute": {"missing": "impute"},
        "include": {"include": False},
        "leave_out": {"treatment": "leave_out"},
        "never": {"never": [value]},
        "special_values": {"special_values": [value]},
        "quantile": {"outlier_quantile": 0.1, "outliers": made.chance.choice(["clip", "impute"])},
        "non_negative": {"non_negative": True},
        "drop": {"rare_replacement": "drop"},
        "label": {"rare_replacement": "label"},
        "invent": {"rare_replacement": "invent"},
        "share": {"rare_share": 0.5},
        "minimum_count": {"rare_minimum": 50},
    }
    result = said.get(word, {word: int(value) if value.isdigit() and word == "decimals" else value})
    return result | ({"missing": "impute"} if made.maybe(0.1) else {})


def _rest(made: MadeUp) -> None:
    chance = made.chance
    made.rest["roots"] = "many" if made.maybe(0.8) else "one"
    made.rest["evaluation"] = {"holdout_share": chance.choice([0, 0.1, 0.3, 0.5])}
    made.rest["destination"] = {"format": chance.choice(["csv", "csv", "parquet", "tsv", "xlsx", "ods"])}
    made.rest["generation"] = {"seed": chance.randrange(9)}
    if made.maybe(0.2):
        made.rest["generation"]["rows"] = {"root_0": chance.choice([1, 7, 200])}
    if made.maybe(0.2):
        made.rest["protection"] = {"rare_minimum": chance.choice([1, 2, 20])}
