"""Reading of files and folders: finds the tables, has each file parsed in a limited child process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kinsynth.connectors.base import Dialect, Listing, Skipped, SourceTable
from kinsynth.connectors.content import ENDINGS, PARQUET, TEXT, check_content, is_compressed_name
from kinsynth.connectors.headers import name_key
from kinsynth.errors import Finding, KinsynthError, SourceError
from kinsynth.settings.source import Source
from kinsynth.system.child import describe, revive, run_limited

_SMALL_FILE_BYTES = 1 << 23


def read(source: Source, folder: Path, *, base: Path) -> Listing:
    """Read all tables of a source into Arrow IPC files.

    Args:
        source: The settings; ``paths`` names files and folders.
        folder: Where the Arrow files go; made when missing.
        base: Folder at which relative paths start.

    Returns:
        The tables in the order of their names, and what was skipped. Cells of text files and workbooks
        are strings; cells of Parquet files keep their type.

    Raises:
        SourceError: A file cannot be read as it is. When several cannot, all are in ``findings``.

    Guarantees:
        Every file is parsed in a child process with the limits of the settings. No cell is changed:
        a file is read exactly, or refused.
    """
    if not source.paths:
        raise SourceError(
            "source.no_tables",
            "No path is given.",
            where="source.paths",
            remedy="Name files with tables, or their folder.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    files, skipped = _find(source, base)
    found: list[dict[str, Any]] = []
    errors: list[KinsynthError] = []
    stems = {file: str(folder.resolve() / f"{number:04d}") for number, file in enumerate(files, start=1)}
    for group in _groups(files):
        for answer in _parse_in_child(group, source, folder, stems):
            if "error" in answer:
                errors.append(revive(answer["error"]))
            else:
                found += answer["tables"]
                skipped += [Skipped(**one) for one in answer["skipped"]]
    if errors:
        raise _all_at_once(errors)
    if not found:
        raise SourceError(
            "source.no_tables",
            f"No table was found; {len(skipped)} files were skipped.",
            where="source.paths",
            remedy="Name files that end with " + ", ".join(sorted(ENDINGS)) + ", or their folder.",
        )
    return Listing(_named(found, folder), tuple(skipped))


def _find(source: Source, base: Path) -> tuple[list[Path], list[Skipped]]:
    """Give the files to parse, each once, and what a folder holds besides."""
    files: dict[Path, None] = {}
    skipped: list[Skipped] = []
    for given in source.paths:
        path = base / given
        if path.is_dir():
            inside = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
            files.update(dict.fromkeys(entry for entry in inside if _skip_reason(entry) is None))
            skipped += [Skipped(entry.name, reason) for entry in inside if (reason := _skip_reason(entry))]
        elif not path.is_file():
            raise SourceError(
                "source.not_found", "No such file or folder.", where=given, remedy="Correct source.paths."
            )
        elif reason := _skip_reason(path):
            code = "source.compressed" if is_compressed_name(path) else "source.unknown_kind"
            raise SourceError(
                code, f"The file cannot be read: {reason}.", where=path.name, remedy="Leave it out."
            )
        else:
            files[path] = None
    return list(files), skipped


def _skip_reason(path: Path) -> str | None:
    """Say why a file is no table; None when it is one."""
    if path.is_dir():
        return "a folder inside a folder is not read"
    if is_compressed_name(path):
        return "compressed files and archives are not read"
    if path.suffix.lower() not in ENDINGS:
        return f"files with the ending {path.suffix or '(none)'} are not tables"
    return None


def _groups(files: Sequence[Path]) -> list[list[Path]]:
    """Let small text and Parquet files share a child process; its start costs more than reading them."""
    small = [file for file in files if ENDINGS[file.suffix.lower()] in {TEXT, PARQUET} and _is_small(file)]
    alone = [[file] for file in files if file not in set(small)]
    return [*([small] if small else []), *alone]


def _is_small(file: Path) -> bool:
    return file.stat().st_size <= _SMALL_FILE_BYTES


def _parse_in_child(
    group: Sequence[Path], source: Source, folder: Path, stems: Mapping[Path, str]
) -> list[dict[str, Any]]:
    """Have files parsed in a child process; when a child dies, each of its files gets one of its own."""
    try:
        return list(
            run_limited(
                "kinsynth.connectors.files.parse",
                {
                    "paths": [str(file.resolve()) for file in group],
                    "source": source.model_dump(mode="json"),
                    "stems": [stems[file] for file in group],
                },
                memory_bytes=source.parse_memory_bytes,
                timeout_s=source.parse_timeout_s,
                folder=folder,
            )
        )
    except KinsynthError as error:
        if len(group) > 1:
            return [answer for file in group for answer in _parse_in_child([file], source, folder, stems)]
        error.where = error.where or group[0].name
        return [{"error": describe(error)}]


def parse(paths: list[str], source: dict[str, Any], stems: list[str]) -> list[dict[str, Any]]:
    """Parse files; runs in the child process.

    Args:
        paths: The files.
        source: The settings as JSON.
        stems: For each file, the start of the names of the Arrow files to write.

    Returns:
        ``tables`` and ``skipped`` of each file, or ``error``, as JSON can hold them.
    """
    settings = Source(**source)
    return [_parse_or_describe(Path(path), settings, stem) for path, stem in zip(paths, stems, strict=True)]


def _parse_or_describe(file: Path, settings: Source, stem: str) -> dict[str, Any]:
    """Parse one file; an error we raised on purpose leaves the other files to be parsed."""
    try:
        return _parse_file(file, settings, stem)
    except KinsynthError as error:
        return {"error": describe(error)}


def _parse_file(file: Path, settings: Source, stem: str) -> dict[str, Any]:
    """Parse one file by its kind."""
    check_content(file)
    kind = ENDINGS[file.suffix.lower()]
    skipped: list[dict[str, str]] = []
    if kind == TEXT:
        tables = [_parse_text(file, settings, Path(f"{stem}.arrow"))]
    elif file.suffix.lower() == ".parquet":
        tables = [_parse_parquet(file, settings, Path(f"{stem}.arrow"))]
    else:
        from kinsynth.connectors.workbooks.reader import read_workbook

        sheets, aside = read_workbook(file, settings, stem)
        several = len(sheets) > 1
        tables = [
            table_facts(file, target, rows, notes, sheet=name, several=several)
            for name, rows, target, notes in sheets
        ]
        skipped = [{"file": f"{file.name}: {name}", "reason": reason} for name, reason in aside]
    return {"tables": tables, "skipped": skipped}


def _parse_text(file: Path, settings: Source, target: Path) -> dict[str, Any]:
    from kinsynth.connectors.texts.reader import read_text_file

    rows, dialect, notes = read_text_file(file, settings, target)
    return {**table_facts(file, target, rows, notes), "dialect": vars(dialect)}


def _parse_parquet(file: Path, settings: Source, target: Path) -> dict[str, Any]:
    from kinsynth.connectors.parquet import read_parquet

    return table_facts(file, target, *read_parquet(file, settings, target))


def table_facts(
    file: Path, target: Path, rows: int, notes: dict[str, int], *, sheet: str = "", several: bool = False
) -> dict[str, Any]:
    """Put what is known of a table into JSON."""
    return {
        "name": sheet if several else file.stem,
        "file": file.name,
        "sheet": sheet,
        "format": file.suffix.lower()[1:],
        "rows": rows,
        "path": target.name,
        "dialect": None,
        "notes": notes,
    }


def _named(found: Sequence[dict[str, Any]], folder: Path) -> tuple[SourceTable, ...]:
    """Give each table a name of its own, and sort by name."""
    names = _unique_names(found)
    tables = [
        SourceTable(
            **{
                **facts,
                "name": name,
                "path": folder / facts["path"],
                "dialect": Dialect(**facts["dialect"]) if facts["dialect"] else None,
            }
        )
        for name, facts in zip(names, found, strict=True)
    ]
    return tuple(sorted(tables, key=lambda table: table.name))


def _unique_names(found: Iterable[dict[str, Any]]) -> list[str]:
    """Name tables by stem or sheet; where that name is taken twice, by file and sheet."""
    facts = list(found)
    counts = Counter(name_key(one["name"]) for one in facts)
    names = [one["name"] if counts[name_key(one["name"])] == 1 else _full_name(one) for one in facts]
    taken = Counter(name_key(name) for name in names)
    for name, one in zip(names, facts, strict=True):
        if taken[name_key(name)] > 1 or not name.strip() or "/" in name or "\0" in name:
            raise SourceError(
                "source.table_name",
                "The name of a table is empty, has a slash, or is the same as another's.",
                where=f"{one['file']}{': ' + one['sheet'] if one['sheet'] else ''}",
                remedy="Rename the file or the sheet.",
            )
    return names


def _full_name(facts: dict[str, Any]) -> str:
    """Name a table by file and sheet, or by file and ending."""
    return f"{Path(facts['file']).stem}_{facts['sheet'] or facts['format']}"


def _all_at_once(errors: Sequence[KinsynthError]) -> KinsynthError:
    """Give the first error, with all of them as findings."""
    first = errors[0]
    first.findings = tuple(
        Finding(error.code, "error", error.where, error.message, error.remedy, step="data")
        for error in errors
    )
    return first
