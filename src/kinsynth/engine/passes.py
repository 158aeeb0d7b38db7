"""Passes: in which order tables are drawn and further keys assigned. No torch.

A table is drawn for all roots before the next one begins, and the keys of a table are assigned for all its
rows at once: then rows may look at, and point to, any row drawn before, whichever root it hangs under.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from kinsynth.encoded import OWNER, Path, Pointer
from kinsynth.engine.layout import TableLayout
from kinsynth.errors import InternalError

Layouts = Mapping[str, TableLayout]


@dataclass(frozen=True)
class Draw:
    """Draw the rows of a table.

    Attributes:
        table: Its name.
    """

    table: str


@dataclass(frozen=True)
class Assign:
    """Give the rows of a table the rows they point to.

    Attributes:
        keys: Name of the table of keys.
    """

    keys: str


Step = Draw | Assign


@dataclass(frozen=True)
class Keys:
    """One further key of a table.

    Attributes:
        drawn: Name of the table of keys that draws it.
        pointer: The further key.
        number: Its place among the pointers of that table of keys.
    """

    drawn: str
    pointer: Pointer
    number: int


def is_linked(layouts: Layouts) -> bool:
    """Whether any table points to rows of another."""
    return any(layout.links or layout.pointers for layout in layouts.values())


def is_late(layout: TableLayout) -> bool:
    """Whether a table of keys is drawn after the table whose keys they are."""
    return layout.keys_of in layout.links


def further_keys(layouts: Layouts, table: str) -> tuple[Keys, ...]:
    """Give the further keys of a table; step k of a path from one of its rows follows the k-th.

    Those drawn before the table come first, in the order of its links, then the late ones.
    """
    tables = [(is_late(layout), name) for name, layout in layouts.items() if layout.keys_of == table]
    return tuple(
        Keys(name, pointer, number)
        for _, name in sorted(tables, key=lambda pair: pair[0])
        for number, pointer in enumerate(layouts[name].pointers)
    )


def plan_steps(layouts: Layouts) -> tuple[Step, ...]:
    """Give the steps that draw all tables and assign all keys.

    Tables are drawn in the order they come in; keys are assigned as soon as they can be.

    Raises:
        InternalError: A table comes before what it points to, or the paths of keys go round in a circle.
    """
    steps: list[Step] = []
    waiting: list[str] = []
    for name, layout in layouts.items():
        if layout.links and layout.keys_of is None and not _is_assigned(layouts, name, steps):
            raise _out_of_order(name, "what its rows point to is not assigned before it is drawn")
        steps.append(Draw(name))
        waiting += [name] if layout.pointers else []
        while ready := [keys for keys in waiting if _can_assign(layouts, keys, steps)]:
            steps += [Assign(keys) for keys in ready]
            waiting = [keys for keys in waiting if keys not in ready]
    if waiting:
        raise _out_of_order(waiting[0], "its keys wait for keys that wait for them")
    return tuple(steps)


def _out_of_order(table: str, why: str) -> InternalError:
    return InternalError("engine.order", f"The tables cannot be drawn in this order: {why}.", where=table)


def _is_assigned(layouts: Layouts, table: str, done: list[Step]) -> bool:
    """Whether it is known what the rows of a table that is to be drawn point to."""
    early = [each.drawn for each in further_keys(layouts, table) if not is_late(layouts[each.drawn])]
    return len(early) == len(layouts[table].links) and all(Assign(keys) in done for keys in early)


def _can_assign(layouts: Layouts, keys: str, done: list[Step]) -> bool:
    """Whether all rows that may be pointed to are drawn, and all keys on the paths assigned."""
    pointers = layouts[keys].pointers
    drawn = all(Draw(pointer.target) in done for pointer in pointers)
    needed = (
        drawn_by for number in range(len(pointers)) for drawn_by in _keys_on_paths(layouts, keys, number)
    )
    return drawn and all(other == keys or Assign(other) in done for other in needed)


def _keys_on_paths(layouts: Layouts, keys: str, number: int) -> Iterator[str]:
    """Give the tables of keys that draw the keys on the paths of a pointer."""
    pointer, table = layouts[keys].pointers[number], layouts[keys].keys_of
    assert table is not None
    agreeing = [] if pointer.agreement is None else [tuple(ending.path for ending in pointer.agreement)]
    pairs = [*pointer.scopes, *agreeing]
    own = [*(first for first, _ in pairs), *chain.from_iterable(pointer.apart), *pointer.avoid]
    others = [(pointer.target, second) for _, second in pairs]
    for start, path in [*((table, path) for path in own), *others]:
        for each in _walk(layouts, start, path):
            if each.drawn == keys and each.number >= number:
                raise _out_of_order(keys, "a path leads through a key that is assigned later")
            yield each.drawn


def _walk(layouts: Layouts, table: str, path: Path) -> Iterator[Keys]:
    """Give the further keys that a path from a table follows."""
    for step in path:
        if step == OWNER:
            parent = layouts[table].parent
            if parent is None:
                raise _out_of_order(table, "a path leads to the parent of a root table")
            table = parent
            continue
        each = further_keys(layouts, table)[step]
        yield each
        table = each.pointer.target
