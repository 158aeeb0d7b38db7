"""Made-up databases whose foreign keys form any graph, and a slow check of what they promise."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]
_KEYS: tuple[Callable[[int], Any], ...] = (
    lambda n: n + 1,
    lambda n: f"K{n:05}",
    lambda n: f"{n:08x}-0000-4000-8000-{n * 7919:012x}",
    lambda n: 1_000_000 + 7 * n,
)


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: columns of a table, the table they name, and the columns there."""

    table: str
    columns: tuple[str, ...]
    target: str
    references: tuple[str, ...]
    orphans: str = "refuse"
    owner: bool = False


@dataclass
class Graph:
    """A database: rows by table, primary keys, foreign keys."""

    chance: Random
    tables: dict[str, list[Row]] = field(default_factory=dict)
    primary: dict[str, tuple[str, ...]] = field(default_factory=dict)
    foreign: list[ForeignKey] = field(default_factory=list)
    originals: set[str] = field(default_factory=set)
    copies: list[tuple[ForeignKey, str]] = field(default_factory=list)

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def document(self, source: Path, **more: Any) -> dict[str, Any]:
        """Give the document about the written database."""
        tables: dict[str, Any] = {}
        for name in self.tables:
            keys = [
                {
                    "columns": list(k.columns),
                    "table": k.target,
                    "references": list(k.references),
                    "orphans": k.orphans,
                    **({"owner": True} if k.owner else {}),
                }
                for k in self.foreign
                if k.table == name
            ]
            tables[name] = {"primary_key": list(self.primary[name]), "foreign_keys": keys}
            if name in self.originals:
                tables[name]["original"] = True
        return {
            "source": {"paths": [str(source)]},
            "roots": "many",
            "tables": tables,
            "training": {"max_epochs": 1, "threads": 1, "model_size": "small"},
            "evaluation": {"holdout_share": self.chance.choice([0, 0.2])},
            "report": {"enabled": False},
            **more,
        }

    def write(self, folder: Path) -> None:
        """Write each table as CSV."""
        folder.mkdir(parents=True)
        for name, rows in self.tables.items():
            columns = list(rows[0]) if rows else self._columns_of[name]
            with (folder / f"{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)

    _columns_of: dict[str, list[str]] = field(default_factory=dict)


def make_graph(seed: int) -> Graph:
    """Make up a database with any graph of foreign keys."""
    graph = Graph(Random(f"graph {seed}"))
    chance = graph.chance
    for number in range(chance.choice([2, 3, 3, 4, 5])):
        kind = chance.choice([_plain, _plain, _several, _several, _bridge, _extension, _lines, _hierarchy])
        (_plain if number == 0 else kind)(graph, f"t{number}")
    if graph.maybe(0.35):
        _close_circle(graph)
    if graph.maybe(0.2):
        _name_lines(graph)
    for name in graph.tables:
        _fill(graph, name)
        graph._columns_of[name] = list(graph.tables[name][0]) if graph.tables[name] else _heads(graph, name)
    if graph.maybe(0.25):
        _copy_a_lookup(graph)
    lookups = Random(f"lookups {seed}")
    if lookups.random() < 0.25:
        _add_chained_lookups(graph, lookups)
    _repeat_amounts(graph, Random(f"copies {seed}"))
    _own_some(graph, Random(f"owners {seed}"))
    return graph


def _own_some(graph: Graph, chance: Random) -> None:
    """Let some keys that are missing in some rows be the owner's, those that close no circle."""
    names = list(graph.tables)
    for number, key in enumerate(graph.foreign):
        gaps = any(row[column] is None for row in graph.tables[key.table] for column in key.columns)
        ahead = names.index(key.target) < names.index(key.table)
        taken = any(one.owner for one in graph.foreign if one.table == key.table)
        free = not graph.originals & {key.table, key.target}
        if gaps and ahead and free and not taken and chance.random() < 0.5:
            graph.foreign[number] = replace(key, owner=True)


def _heads(graph: Graph, name: str) -> list[str]:
    columns = dict.fromkeys(graph.primary[name])
    columns |= dict.fromkeys(column for key in graph.foreign if key.table == name for column in key.columns)
    return [*columns, "amount"]


def _rows(graph: Graph) -> int:
    return (
        graph.chance.choice([0, 1, 3, 12, 25, 40, 60])
        if graph.maybe(0.25)
        else graph.chance.choice([25, 40, 60])
    )


def _plain(graph: Graph, name: str, rows: int | None = None) -> None:
    write = graph.chance.choice(_KEYS)
    count = _rows(graph) if rows is None else rows
    graph.tables[name] = [{"id": write(number)} for number in range(count)]
    graph.primary[name] = ("id",)


def _single(graph: Graph) -> list[str]:
    return [name for name, key in graph.primary.items() if len(key) == 1]


def _refer(graph: Graph, name: str, target: str, *, nullable: bool, column: str = "") -> None:
    """Let every row name a row of another table, some rows far more often than others."""
    column = column or f"{target}_{len(graph.foreign)}"
    reference = graph.primary[target][0]
    known = [row[reference] for row in graph.tables[target]]
    weights = [graph.chance.paretovariate(1.1) for _ in known]
    orphans = "refuse"
    for row in graph.tables[name]:
        row[column] = (
            None if not known or (nullable and graph.maybe(0.3)) else graph.chance.choices(known, weights)[0]
        )
    if graph.tables[name] and graph.maybe(0.1):
        orphans = graph.chance.choice(["null", "drop"])
        row = graph.chance.choice(graph.tables[name])
        if column not in graph.primary[name] and isinstance(row[column], int):
            row[column] = -77
    graph.foreign.append(ForeignKey(name, (column,), target, (reference,), orphans))


def _several(graph: Graph, name: str) -> None:
    """Make a table with several parents, some of them twice."""
    targets = [graph.chance.choice(_single(graph)) for _ in range(graph.chance.choice([1, 2, 2, 3]))]
    _plain(graph, name)
    for target in targets:
        _refer(graph, name, target, nullable=graph.maybe(0.4))


def _bridge(graph: Graph, name: str) -> None:
    """Make a table whose key is two foreign keys: no pair twice."""
    left, right = (graph.chance.choice(_single(graph)) for _ in range(2))
    sides = [[row[graph.primary[one][0]] for row in graph.tables[one]] for one in (left, right)]
    pairs = [
        (one, other)
        for one in sides[0]
        for other in sides[1]
        if graph.maybe(0.05 if graph.maybe(0.9) else 0.9)
    ]
    graph.tables[name] = [{"left": one, "right": other} for one, other in pairs]
    graph.primary[name] = ("left", "right")
    for column, target in (("left", left), ("right", right)):
        graph.foreign.append(ForeignKey(name, (column,), target, (graph.primary[target][0],)))


def _extension(graph: Graph, name: str) -> None:
    """Make a table whose primary key is a foreign key: at most one row for each of another table."""
    target = graph.chance.choice(_single(graph))
    known = [row[graph.primary[target][0]] for row in graph.tables[target]]
    graph.tables[name] = [{"of": key} for key in known if graph.maybe(0.6)]
    graph.primary[name] = ("of",)
    graph.foreign.append(ForeignKey(name, ("of",), target, (graph.primary[target][0],)))
    if graph.maybe(0.5):
        _refer(graph, name, graph.chance.choice(_single(graph)), nullable=graph.maybe(0.5))


def _lines(graph: Graph, name: str) -> None:
    """Make a table whose key is a foreign key and a number or a value."""
    target = graph.chance.choice(_single(graph))
    counted = graph.maybe(0.5)
    graph.tables[name] = []
    for row in graph.tables[target]:
        numbers = range(1, graph.chance.choice([1, 2, 4]))
        if not counted:
            numbers = sorted(graph.chance.sample(range(1990, 2010), len(numbers)))  # type: ignore[assignment]
        graph.tables[name] += [{"of": row[graph.primary[target][0]], "line": number} for number in numbers]
    graph.primary[name] = ("of", "line")
    graph.foreign.append(ForeignKey(name, ("of",), target, (graph.primary[target][0],)))
    if graph.maybe(0.4):
        _refer(graph, name, graph.chance.choice(_single(graph)), nullable=graph.maybe(0.5))


def _hierarchy(graph: Graph, name: str) -> None:
    """Make a table whose rows name rows of the same table; perhaps themselves, perhaps in a circle."""
    _plain(graph, name)
    rows, own = graph.tables[name], graph.maybe(0.2)
    for number, row in enumerate(rows):
        top = number == 0 or graph.maybe(0.2)
        row["above"] = (row["id"] if own else None) if top else graph.chance.choice(rows[:number])["id"]
    if len(rows) > 3 and graph.maybe(0.15):
        rows[1]["above"], rows[2]["above"] = rows[2]["id"], rows[1]["id"]
    graph.foreign.append(ForeignKey(name, ("above",), name, ("id",)))
    if graph.maybe(0.5):
        others = [one for one in _single(graph) if one != name]
        if others:
            _refer(graph, name, graph.chance.choice(others), nullable=graph.maybe(0.4))


def _close_circle(graph: Graph) -> None:
    """Let an earlier table name rows of a later one."""
    names = [name for name in _single(graph) if graph.primary[name] == ("id",)]
    if len(names) > 1:
        _refer(graph, names[0], graph.chance.choice(names[1:]), nullable=graph.maybe(0.6))


def _name_lines(graph: Graph) -> None:
    """Add a table that names lines by their two columns, and perhaps the lines' own target as well."""
    lines = [name for name, key in graph.primary.items() if key == ("of", "line")]
    if not lines:
        return
    target = graph.chance.choice(lines)
    _plain(graph, "notes")
    for row in graph.tables["notes"]:
        named = (
            graph.chance.choice(graph.tables[target]) if graph.tables[target] else {"of": None, "line": None}
        )
        row["of"], row["line"] = named["of"], named["line"]
    graph.foreign.append(ForeignKey("notes", ("of", "line"), target, ("of", "line")))
    if graph.maybe(0.5):
        above = next(key for key in graph.foreign if key.table == target and key.columns == ("of",))
        graph.foreign.append(ForeignKey("notes", ("of",), above.target, above.references))


def _fill(graph: Graph, name: str) -> None:
    """Add values that are no keys."""
    chance = graph.chance
    for row in graph.tables[name]:
        row["amount"] = round(chance.lognormvariate(2, 1), 2)
    if graph.maybe(0.6):
        for row in graph.tables[name]:
            row["kind"] = chance.choice("abc")
    if graph.maybe(0.4):
        for row in graph.tables[name]:
            row["day"] = dt.date(2020, 1, 1) + dt.timedelta(days=chance.randrange(900))


def _repeat_amounts(graph: Graph, chance: Random) -> None:
    """Let rows of some tables repeat the amount of the row that a key names."""
    for number, key in enumerate(graph.foreign):
        able = key.table != key.target and key.table not in graph.originals and graph.tables[key.table]
        if not able or chance.random() < 0.6 or key.target in ("town", "region"):
            continue
        amounts = {
            tuple(row[column] for column in key.references): row["amount"] for row in graph.tables[key.target]
        }
        copy = f"copied_{number}"
        for row in graph.tables[key.table]:
            row[copy] = amounts.get(tuple(row[column] for column in key.columns))
        graph._columns_of[key.table].append(copy)
        graph.copies.append((key, copy))


def _copy_a_lookup(graph: Graph) -> None:
    """Mark a table that names no other and is named as original."""
    pointing = {key.table for key in graph.foreign}
    named = {key.target for key in graph.foreign}
    able = [name for name in graph.tables if name in named - pointing]
    if able and len(graph.tables) - len(graph.originals) > 1:
        graph.originals.add(graph.chance.choice(able))


def _add_chained_lookups(graph: Graph, chance: Random) -> None:
    """Add towns and their regions, both copied; rows of another table name both, which agree."""
    able = [name for name in graph.tables if graph.tables[name] and name not in graph.originals]
    if not able:
        return
    name, regions = chance.choice(able), chance.choice([3, 12])
    graph.tables["region"] = [{"id": f"R{number}"} for number in range(regions)]
    graph.tables["town"] = [{"id": number, "in": f"R{chance.randrange(regions)}"} for number in range(30)]
    graph.primary |= {"region": ("id",), "town": ("id",)}
    graph.originals |= {"region", "town"}
    for row in graph.tables[name]:
        town = None if chance.random() < 0.1 else chance.choice(graph.tables["town"])
        row["town"], row["region"] = (town["id"], town["in"]) if town else (None, None)
    graph.foreign += [
        ForeignKey("town", ("in",), "region", ("id",)),
        ForeignKey(name, ("town",), "town", ("id",)),
        ForeignKey(name, ("region",), "region", ("id",)),
    ]


def other_rows(chance: Random, rows: Mapping[str, int]) -> dict[str, int]:
    """Choose other numbers of rows for some root tables: none, few, half, double."""
    return {
        root: chance.choice([0, 1, 2, number // 2, 2 * number])
        for root, number in rows.items()
        if chance.random() < 0.7
    }


# The slow check


def broken(graph: Graph, folder: Path) -> Iterator[str]:
    """Name everything that the source keeps and the written result does not."""
    written = {name: _read(folder / f"{name}.csv") for name in graph.tables}
    source = {name: [_as_text(row) for row in rows] for name, rows in graph.tables.items()}
    for name, key in graph.primary.items():
        keys = [tuple(row[column] for column in key) for row in written[name]]
        if any("" in one for one in keys):
            yield f"{name}: a key is missing"
        if len(set(keys)) < len(keys):
            yield f"{name}: a key repeats"
    for name in graph.originals:
        if written[name] != source[name]:
            yield f"{name}: an original differs"
    for key in graph.foreign:
        yield from _broken_key(graph, key, source, written)


def broken_copies(
    graph: Graph, folder: Path, always: Callable[[str, str, tuple[str, ...]], bool]
) -> Iterator[str]:
    """Name the copies that are no longer equal, of those that are drawn as what always repeats that cell."""
    written = {name: _read(folder / f"{name}.csv") for name in graph.tables}
    for key, copy in graph.copies:
        if not always(key.table, copy, key.columns):
            continue
        amounts = {
            tuple(row[column] for column in key.references): row["amount"] for row in written[key.target]
        }
        named = [(row[copy], tuple(row[column] for column in key.columns)) for row in written[key.table]]
        # A cell that value protection made missing is not repeated where none of the source is.
        pairs = [(one, amounts.get(names, "")) for one, names in named if amounts.get(names) != ""]
        if any(_number(one) != _number(other) for one, other in pairs):
            yield f"{key}: {copy} is another one"


def _number(text: str) -> float | None:
    return float(text) if text else None


def _broken_key(
    graph: Graph, key: ForeignKey, source: dict[str, list[Row]], written: dict[str, list[Row]]
) -> Iterator[str]:
    values = [tuple(row[column] for column in key.columns) for row in written[key.table]]
    known = {tuple(row[column] for column in key.references) for row in written[key.target]}
    if any("" not in one and one not in known for one in values):
        yield f"{key}: an orphan"
    before = [tuple(row[column] for column in key.columns) for row in source[key.table]]
    referenced = {tuple(row[column] for column in key.references) for row in source[key.target]}
    whole = all(one in referenced for one in before)
    if before and whole and any("" in one for one in values):
        yield f"{key}: missing, which it never is in the source"
    own = graph.primary[key.table]
    acyclic = key.table == key.target and not _circles(before, source[key.table], own)
    if acyclic and _circles(values, written[key.table], own):
        yield f"{key}: a row is its own ancestor"
    if key.columns == graph.primary[key.table] and max(Counter(values).values(), default=0) > 1:
        yield f"{key}: two rows for one"


def _circles(values: list[tuple[Any, ...]], rows: list[Row], primary: tuple[str, ...]) -> bool:
    """Tell whether a row is its own ancestor, itself included."""
    above = {tuple(row[column] for column in primary): value for row, value in zip(rows, values, strict=True)}
    for start, first in above.items():
        seen, place = {start}, first
        while place in above:
            if place in seen:
                return True
            seen.add(place)
            place = above[place]
    return False


def _read(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _as_text(row: Row) -> Row:
    return {name: "" if value is None else str(value) for name, value in row.items()}
