"""Known rows, shares and imputation by commands, on the model of a quick run."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinsynth.cli.arguments import read_given, read_pairs, read_shares
from kinsynth.errors import Interrupted, UserError
from kinsynth.pipeline.filling import fill_file
from kinsynth.pipeline.request import Request
from kinsynth.pipeline.run import generate, resume, run
from kinsynth.settings.document import parse
from shop_database import shop_document, write_shops

Call = Callable[..., Any]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished execution."""
    folder = tmp_path_factory.mktemp("finished")
    write_shops(folder / "source")
    synthesis = parse(shop_document(folder / "source", report={"enabled": False}))
    run(synthesis, folder / "out", base=folder)
    return folder / "out"


def test_generate_keeps_to_what_is_asked(call: Call, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("size,region_id\nlarge,\n,2\nsmall,3\n", encoding="utf-8")
    ended = call("generate", finished, "--given", "shop.csv", "--never", "sale.kind=a", "--no-missing",
                 "sale.amount", "--temperature", "0.9", "--output", "more")  # fmt: skip
    assert ended.code == 0, ended.err
    shops, sales = rows_of(tmp_path / "more/tables/shop.csv"), rows_of(tmp_path / "more/tables/sale.csv")
    assert [shop["size"] for shop in shops][::2] == ["large", "small"]
    assert [shop["region_id"] for shop in shops][1:] == ["2", "3"]
    assert all(shop["size"] and shop["region_id"] for shop in shops)
    assert all(sale["kind"] == "b" and sale["amount"] for sale in sales)


def test_generate_with_a_fixed_value_and_shares(call: Call, finished: Path, tmp_path: Path) -> None:
    ended = call("generate", finished, "--rows", "shop=300", "--fix", "size=medium",
                 "--balance", "sale.kind=a:0.9", "--output", "more")  # fmt: skip
    assert ended.code == 0, ended.err
    shops, sales = rows_of(tmp_path / "more/tables/shop.csv"), rows_of(tmp_path / "more/tables/sale.csv")
    assert {shop["size"] for shop in shops} == {"medium"}
    kinds = [sale["kind"] for sale in sales]
    assert kinds.count("a") > 0.9 * len(kinds) - 5 * (0.09 * len(kinds)) ** 0.5


def test_impute_fills_a_file(call: Call, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "holes.csv").write_text("shop_id,size,opened\nX1,,2012-03-11\nX2,small,\n", encoding="utf-8")
    ended = call("impute", finished, "holes.csv", "--output", "filled.csv", "--method", "best")
    assert ended.code == 0, ended.err
    assert "2 rows, 4 cells filled" in ended.out
    filled = rows_of(tmp_path / "filled.csv")
    assert [row["shop_id"] for row in filled] == ["X1", "X2"]
    assert (filled[0]["opened"], filled[1]["size"]) == ("2012-03-11", "small")
    assert all(value for row in filled for value in row.values())
    with pytest.raises(UserError, match=r"command\.file_exists"):
        fill_file(finished, tmp_path / "holes.csv", tmp_path / "filled.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["filled.csv", "holes.csv"]


@pytest.mark.parametrize("words", [["size"], ["=small"]])
def test_pairs_need_a_column_and_a_value(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"command\.pair"):
        read_pairs(words, "--fix")


@pytest.mark.parametrize("words", [["size=small"], ["size=small:half"], ["size=small:nan"], ["size"]])
def test_shares_need_a_column_a_value_and_a_number(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"command\.pair"):
        read_shares(words, "--balance")


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("--fix", "size=" + "x" * 10_001),
        ("--balance", "x" * 1_001 + "=a:0.5"),
        ("--empty-is-missing", ""),
        ("--temperature", "nan"),
    ],
)
def test_what_no_request_can_hold_names_the_option(
    call: Call, finished: Path, option: str, word: str
) -> None:
    ended = call("generate", finished, option, word, "--output", "more")
    assert ended.code == 2
    assert ended.err.startswith(f"{option}: ")
    assert "command.usage" in ended.err
    assert "xxx" not in ended.err


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request(fixed=[("nothing", "1")]), "condition.unknown_column"),
        (Request(fixed=[("sale.kind", "a")]), "condition.child_table"),
        (Request(shares=[("size", "small", 1.5)]), "condition.shares"),
        (Request(temperature=9), "condition.temperature"),
        (Request(given=[("", Path("nowhere.csv"))]), "source.not_found"),
    ],
)
def test_what_does_not_fit_makes_no_folder(
    finished: Path, tmp_path: Path, request_: Request, code: str
) -> None:
    with pytest.raises(UserError) as caught:
        generate(finished, request=request_, output=tmp_path / "more")
    assert caught.value.code == code
    assert not (tmp_path / "more").exists()


def test_other_endings_and_child_tables_are_refused(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "sale.csv").write_text("kind\na\n", encoding="utf-8")
    for output, code in (("x.xml", "command.output_format"), ("x.csv", "condition.child_table")):
        with pytest.raises(UserError) as caught:
            fill_file(finished, tmp_path / "sale.csv", tmp_path / output)
        assert caught.value.code == code
        assert not (tmp_path / output).exists()


def test_a_stopped_drawing_goes_on_with_its_known_rows(finished: Path, tmp_path: Path) -> None:
    """Killed after its beginning: the known rows and all else it was asked for are in its folder."""
    (tmp_path / "shop.csv").write_text("size\nlarge\nsmall\n", encoding="utf-8")
    request = Request(
        given=(("", tmp_path / "shop.csv"),), never=(("sale.kind", "a"),), shares=(("region_id", "4", 1.0),)
    )
    with pytest.raises(Interrupted):
        generate(finished, request=request, output=tmp_path / "more", stop_requested=lambda: True)
    (tmp_path / "shop.csv").unlink()
    resume(tmp_path / "more")
    shops = rows_of(tmp_path / "more/tables/shop.csv")
    assert [shop["size"] for shop in shops] == ["large", "small"]
    assert {shop["region_id"] for shop in shops} == {"4"}
    assert not (tmp_path / "more" / "work").exists()
    shutil.rmtree(tmp_path / "more")


def test_a_file_with_an_equals_sign_in_its_name_goes_before_a_table(tmp_path: Path) -> None:
    odd = tmp_path / "a=b.csv"
    odd.write_text("size\nlarge\n", encoding="utf-8")
    assert read_given([str(odd), f"shop={odd}"]) == [("", odd), ("shop", odd)]
