"""The page of codes names every code of the package, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import kinsynth

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "codes.md"
CODE = re.compile(r"[a-z_]+\.[a-z_0-9]+")
CARRIERS = re.compile(
    r"\w+Error|Finding|OutOfMemory|Interrupted|Suggestion|error|warning|notice|make_guarantee|_not_available|_fail|_refuse|_lost|refusal"
)


def written_codes() -> set[str]:
    """Collect the first text that looks like a code in each call that makes an error or a finding."""
    found = set()
    for file in Path(kinsynth.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and CARRIERS.fullmatch(ast.unparse(node.func).rpartition(".")[2]):
                found |= set(first_code(node))
    return found


def first_code(call: ast.Call) -> list[str]:
    texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    named = [k.value.value for k in call.keywords if k.arg == "code" and isinstance(k.value, ast.Constant)]
    return [str(text) for text in (*named, *texts) if CODE.fullmatch(str(text))][:1]


def page_rows() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def test_the_page_names_every_code_and_no_other() -> None:
    named = [row[0].strip("`") for row in page_rows()]
    assert len(named) == len(set(named)), "a code stands twice"
    assert {"missing": written_codes() - set(named), "unknown": set(named) - written_codes()} == {
        "missing": set(),
        "unknown": set(),
    }


def test_every_code_has_a_meaning_and_a_remedy() -> None:
    for row in page_rows():
        assert len(row) in (3, 4), row
        assert all(cell.endswith(".") or cell in ("error", "warning", "notice") for cell in row[1:]), row
