"""Pages say what is true: links lead somewhere, documents load, names exist."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from kinsynth.cli.program import app
from kinsynth.settings.document import parse, read_yaml
from kinsynth.settings.fields import fields

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def name(path: Path) -> str:
    """Name of a page for test ids."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def links(path: Path) -> Iterator[str]:
    """The links of a page that stay in the repository."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link names a file, and its anchor a heading."""
    for target in links(page):
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{name(page)} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{name(page)} links to {target}"


def test_every_page_is_reached() -> None:
    """Starting at the README, links lead to every page."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            found = [(page.parent / target.partition("#")[0]).resolve() for target in links(page)]
            waiting += [path for path in found if path.suffix == ".md"]
    assert set(PAGES) - reached == set()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=name)
def test_documents_load(page: Path) -> None:
    """Every piece of YAML is a synthesis document."""
    for block in blocks(page, "yaml"):
        parse(read_yaml(block, where=name(page)))


def test_commands_exist() -> None:
    """Every command in a code block is one, and its long options are known."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    known = {
        command: {flag for part in parts.params for flag in part.opts} for command, parts in commands.items()
    }
    paths = {field.path for field in fields()}
    for page in PAGES:
        for block in blocks(page, "sh"):
            for command, rest in re.findall(
                r"^(?:\.venv/bin/)?kinsynth +(?:--server \S+ +)?([\w-]+)([^#\n]*)", block, re.MULTILINE
            ):
                assert command in known, f"{name(page)}: kinsynth {command}"
                for flag in re.findall(r"--[\w.-]+", rest):
                    general = re.sub(r"^tables\.\w+", "tables.<table>", flag[2:])
                    assert flag in known[command] or general in paths, f"{name(page)}: {flag}"


def test_scripts_exist() -> None:
    """Every script that a page names is there."""
    for page in PAGES:
        for script in re.findall(r"(?<![\w/])scripts/([\w-]+)", page.read_text(encoding="utf-8")):
            assert (ROOT / "scripts" / script).is_file(), f"{name(page)}: scripts/{script}"


def test_functions_of_the_data_way_exist() -> None:
    """The table of the data's way in the architecture names functions that are there."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split("## The data's way")[1].split("\n## ")[0]
    names = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", section)
    assert len(names) >= 10
    for dotted in names:
        module, _, function = dotted.rpartition(".")
        assert callable(getattr(importlib.import_module(f"kinsynth.{module}"), function)), dotted


def test_layers_are_drawn_as_they_are() -> None:
    """The drawing of the layers is the contract's."""
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split('name = "Arrows point down"')[1]
    listed = contract.split("layers = [")[1].split("]")[0]
    layers = re.findall(r'"([^"]+)"', listed)
    drawn = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1].split("\n")
    assert [line for line in drawn if line] == layers


def test_the_words_of_the_tutorial_are_commands() -> None:
    """The tutorial goes through every command on one's own files but resume, which it tells of."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    own = {name for name, one in commands.items() if one.callback.__module__ == "kinsynth.cli.commands"}
    assert {command for command in own - {"resume"} if f"kinsynth {command}" not in text} == set()
