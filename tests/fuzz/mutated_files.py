"""Files of every format, damaged at random: bytes, cells, lines, parts of archives, their directories."""

from __future__ import annotations

import io
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from kinsynth.connectors.destination import write
from kinsynth.pipeline.review import inspect_source
from kinsynth.settings.destination import Destination
from kinsynth.settings.document import parse
from shop_database import shop_document, write_shops

Mutator = Callable[[bytes, random.Random], bytes]

_TOKENS = (
    *(b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf"),
    *(b"\xc3", b"=1+1", b"NaN", b"1e999", b"-0", b"9" * 40, b"2021-02-30", b"null", b" " * 200, b"a" * 5_000),
    *("\u202e".encode(), "\U0001f600".encode()),
)
_XML = (
    *(
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>",
        b"&a;",
        b"&#0;",
        b"<![CDATA[",
        b"-->",
        b"<c/>",
        b"</row>",
        b"\x00",
    ),
    *(b'r="XFD1048576"', b't="s"', b"<v>999999999</v>"),
    *(b'table:number-columns-repeated="99999999"', b'table:number-rows-repeated="99999999"'),
)


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Write a small database in every format; gives the files by name."""
    write_shops(folder / "source")
    inspection = inspect_source(parse(shop_document(folder / "source")), base=Path())
    database = replace(inspection.database(), origin="synthetic")
    found: dict[str, bytes] = {}
    for form in ("csv", "tsv", "parquet", "xlsx", "ods"):
        written = write(database, Destination(format=form), folder / form)
        found |= {one.file.name: one.file.read_bytes() for one in written}
    return found


def mutate(seeds: Mapping[str, bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Give damaged files, each with the name of the file it was."""
    chance = random.Random(seed)
    names = sorted(seeds)
    for _ in range(count):
        name = chance.choice(names)
        content = seeds[name]
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            content = chance.choice(_mutators(name))(content, chance)
        if chance.random() < 0.05:  # the content of one format under the name of another
            name = chance.choice(names)
        yield name, content


def _mutators(name: str) -> tuple[Mutator, ...]:
    by_kind: dict[str, tuple[Mutator, ...]] = {
        "csv": (_insert_token, _repeat_line, _swap_lines, _cut, _flip),
        "tsv": (_insert_token, _repeat_line, _swap_lines, _cut, _flip),
        "parquet": (_flip, _flip, _cut, _splice, _change_length),
        "xlsx": (_change_part, _change_part, _drop_part, _double_part, _flip, _cut),
        "ods": (_change_part, _change_part, _drop_part, _double_part, _flip, _cut),
    }
    return by_kind[name.rpartition(".")[2]]


def _at(content: bytes, chance: random.Random) -> int:
    return chance.randrange(len(content) + 1)


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 2, 8, 64))):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(content: bytes, chance: random.Random) -> bytes:
    first, last = sorted((_at(content, chance), _at(content, chance)))
    return chance.choice((content[:first], content[first:], content[:first] + content[last:]))


def _splice(content: bytes, chance: random.Random) -> bytes:
    first, last = sorted((_at(content, chance), _at(content, chance)))
    at = _at(content, chance)
    return content[:at] + content[first : min(last, first + 4_096)] + content[at:]


def _change_length(content: bytes, chance: random.Random) -> bytes:
    """Change the length of the footer that stands before the last four bytes of a Parquet file."""
    if len(content) < 8:
        return content
    length = chance.choice((0, 1, 2**31 - 1, 2**32 - 1, chance.randrange(2**16)))
    return content[:-8] + length.to_bytes(4, "little") + content[-4:]


def _insert_token(content: bytes, chance: random.Random) -> bytes:
    at, token = _at(content, chance), chance.choice(_TOKENS)
    return content[:at] + token + content[at + chance.choice((0, 0, 1, len(token))) :]


def _repeat_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at = chance.randrange(len(lines))
    lines[at:at] = [lines[at]] * chance.choice((1, 2, 500))
    return b"".join(lines)


def _swap_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _parts(content: bytes) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001 - it was damaged before
        return None


def _pack(parts: list[tuple[str, bytes]]) -> bytes:
    sink = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # a name that stands twice is wanted
        for name, content in parts:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def _change_part(content: bytes, chance: random.Random) -> bytes:
    parts = _parts(content)
    if not parts:
        return _flip(content, chance)
    name = chance.choice(sorted(parts))
    damage = chance.choice((_flip, _cut, _insert_xml, _insert_token))
    return _pack([*(parts | {name: damage(parts[name], chance)}).items()])


def _insert_xml(content: bytes, chance: random.Random) -> bytes:
    starts = [at for at in range(len(content)) if content[at : at + 1] in (b"<", b">")] or [0]
    at = chance.choice(starts)
    return content[:at] + chance.choice(_XML) + content[at:]


def _drop_part(content: bytes, chance: random.Random) -> bytes:
    parts = _parts(content)
    if not parts:
        return _flip(content, chance)
    parts.pop(chance.choice(sorted(parts)))
    return _pack([*parts.items()])


def _double_part(content: bytes, chance: random.Random) -> bytes:
    parts = _parts(content)
    if not parts:
        return _flip(content, chance)
    name = chance.choice(sorted(parts))
    other = chance.choice((name.upper(), f"../{name}", f"/{name}", name + "/", name.replace("/", "\\")))
    return _pack([*parts.items(), (other, parts[name])])
