"""Drawings with conditions and given rows: refused early, performed as on one's own machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from durability.installed_runs import Installation, installation
from finished_run import put
from installation import Submitted, make_person, make_source
from kinsynth.errors import KinsynthError
from kinsynth.pipeline.filling import fill_file
from kinsynth.pipeline.request import Request
from kinsynth.pipeline.run import generate, run
from kinsynth.schema.document import read_schema, write_schema
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.service import sources, starts
from kinsynth.service.drawings import Given, Wishes
from kinsynth.service.executions import cancel_execution
from kinsynth.service.retention import clear_ended
from kinsynth.service.starts import Order
from kinsynth.settings.conditions import Asked, Fill
from kinsynth.settings.document import parse
from kinsynth.storage.files import list_files
from kinsynth.storage.ids import make_id
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions, models, receipts
from kinsynth.system.files import read_json, write_json
from service.test_inheritance import perform
from shop_database import shop_document, write_shops

pytestmark = pytest.mark.slow
# For what has no statement of its own: nothing there hangs on the kind of database.
on_sqlite = pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
KNOWN = "size,region_id\nlarge,\n,2\nsmall,3\n"
ASKED = {
    "shares": (("sale.kind", "a", 0.75),),
    "never": (("size", "medium"),),
    "no_missing": ("sale.amount",),
    "temperature": 0.9,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("trained")
    write_shops(folder / "source")
    run(parse(shop_document(folder / "source", report={"enabled": False})), folder / "out", base=folder)
    return folder


@pytest.fixture
def found(records: Records, trained: Path, tmp_path: Path) -> Iterator[Installation]:
    """An installation that encrypts, with a stored model."""
    with installation(records, tmp_path / "here", trained / "source") as made:
        yield replace(made, platform=replace(made.platform, engine=Submitted()))  # type: ignore[arg-type]


@pytest.fixture
def model_id(found: Installation, trained: Path) -> str:
    return store_model(found, trained / "out" / "model")


def store_model(found: Installation, model: Path) -> str:
    trained_by = found.add_execution(status="succeeded", finished_at=1e12)
    files = {f"model/{path.relative_to(model)}": path for path in model.rglob("*") if path.is_file()}
    put(found.platform, trained_by, "derived", files)
    model_id = make_id("mod")
    named = {"execution_id": trained_by, "synthesis_id": found.synthesis_id, "name": "m", "created_at": 0.0}
    with found.platform.records.write() as connection:
        connection.execute(insert(models).values(id=model_id, **named))
    return model_id


def with_visits(trained: Path, folder: Path) -> Path:
    """Make of the trained model one that says it has another root table, whose rows point to shops."""
    shutil.copytree(trained / "out" / "model", folder)
    facts, schema = read_json(folder / "model.json"), read_schema(read_json(folder / "schema.json"))
    columns = (Column("id", "identifier", "int64"), Column("shop", "identifier", "int64", nullable=True))
    key = Relation("visit", ("shop",), "shop", schema.tables["shop"].primary_key)
    grown = Schema({**schema.tables, "visit": Table("visit", columns, ("id",))}, (*schema.relations, key))
    write_json(folder / "model.json", {**facts, "rows": {**facts["rows"], "visit": 500}})
    write_json(folder / "schema.json", write_schema(grown))
    return folder


def give(found: Installation, folder: Path, **files: str) -> str:
    """Upload known rows; gives the source."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return make_source(found.platform, found.actor, folder, name=folder.name)


def start(found: Installation, model_id: str, wishes: Wishes, **order: object) -> str:
    return starts.start_drawing(
        found.platform,
        found.actor,
        found.synthesis_id,
        model_id,
        Order(**order),
        wishes=wishes,  # type: ignore[arg-type]
    )[0].id


def count(found: Installation) -> int:
    with found.platform.records.read() as connection:
        return connection.execute(select(func.count()).select_from(executions)).scalar_one()


def given_files(found: Installation, execution_id: str) -> dict[str, tuple[str, bool]]:
    with found.platform.records.read() as connection:
        files = list_files(connection, execution_id, under="work/given")
    return {path: (one.label, one.key_id is not None) for path, one in files.items()}


def tables(found: Installation, execution_id: str) -> dict[str, bytes]:
    kept = found.results(execution_id)
    return {path: kept[path] for path in kept if path.startswith("tables/")}


def here(trained: Path, output: Path, **asked: object) -> dict[str, bytes]:
    """Draw on this machine."""
    generate(trained / "out", seed=3, request=Request(**asked), output=output)  # type: ignore[arg-type]
    return {f"tables/{path.name}": path.read_bytes() for path in (output / "tables").iterdir()}


@pytest.mark.parametrize(
    ("asked", "rows", "code"),
    [
        ({"fixed": (("nothing", "1"),)}, {}, "condition.unknown_column"),
        ({"fixed": (("size", "small"), ("shop.size", "large"))}, {}, "condition.contradiction"),
        ({"fixed": (("sale.kind", "a"),)}, {}, "condition.child_table"),
        ({"fixed": (("region_id", "77"),)}, {}, "condition.unknown_reference"),
        ({"shares": (("size", "small", 1.5),)}, {}, "condition.shares"),
        ({"shares": (("size", "small", 0.5), ("size", "small", 0.2))}, {}, "condition.shares"),
        ({"never": (("opened", "today"),)}, {}, "data.unparsable"),
        ({"temperature": 9.0}, {}, "condition.temperature"),
        ({"no_missing": ("size",)}, {"sale": 3}, "settings.rows_not_root"),
    ],
)
@on_sqlite
def test_what_does_not_fit_the_model_is_refused_before_it_is_queued(
    found: Installation, model_id: str, asked: dict[str, object], rows: dict[str, int], code: str
) -> None:
    before = count(found)
    with pytest.raises(KinsynthError) as caught:
        start(found, model_id, Wishes(Asked(**asked)), rows=rows)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert count(found) == before


@on_sqlite
def test_given_rows_that_do_not_fit_are_refused_before_they_are_kept(
    found: Installation, model_id: str, tmp_path: Path
) -> None:
    unknown = give(found, tmp_path / "unknown", shop="colour\nred\n")
    several = give(found, tmp_path / "several", shop=KNOWN, one="size\nsmall\n")
    stranger = replace(found, actor=make_person(found.platform))
    before = count(found)
    for who, source_id, rows, code in (
        (found, unknown, {}, "condition.unknown_column"),
        (found, several, {}, "condition.given_twice"),
        (found, unknown, {"shop": 2}, "condition.rows"),
        (stranger, unknown, {}, "access.not_found"),
    ):
        with pytest.raises(KinsynthError) as caught:
            start(who, model_id, Wishes(given=Given(source_id)), rows=rows)
        assert caught.value.code == code
    assert count(found) == before


@on_sqlite
def test_a_table_said_of_a_file_that_is_not_there_is_refused(
    found: Installation, model_id: str, tmp_path: Path
) -> None:
    """And not left out: the rows would be taken for those of the only root table."""
    given = Given(give(found, tmp_path / "known", known=KNOWN), tables={"knwon.csv": "shop"})
    with pytest.raises(KinsynthError, match=r"knwon\.csv.*condition\.given_file"):
        start(found, model_id, Wishes(given=given))


def test_a_drawing_with_given_rows_is_that_of_ones_own_machine_and_leaves_none_of_them(
    found: Installation, model_id: str, trained: Path, tmp_path: Path
) -> None:
    source_id = give(found, tmp_path / "known", known=KNOWN)
    wishes = Wishes(Asked(**ASKED), Given(source_id, tables={"known.csv": "shop"}))
    made = start(found, model_id, wishes, seed=3, key="k")
    sources.delete_source(found.platform, found.actor, source_id)
    assert start(found, model_id, wishes, seed=3, key="k") == made
    assert found.row(made).reserved_rows == 3
    kept = ("original", True)
    assert given_files(found, made) == {"work/given/000.arrow": kept, "work/given/names.json": kept}
    perform(found, made)
    known = (("shop", tmp_path / "known" / "known.csv"),)
    assert tables(found, made) == here(trained, tmp_path / "here_too", **ASKED, given=known)
    assert given_files(found, made) == {}
    with found.platform.records.read() as connection:
        mine = select(receipts.c.files).where(receipts.c.subject_id == made)
        assert connection.execute(mine).scalar_one() >= 2
    with pytest.raises(KinsynthError, match="were removed") as caught:
        starts.retry_execution(found.platform, found.actor, made)
    assert caught.value.code == "execution.given_gone"


@pytest.mark.parametrize(
    ("name", "text", "asked", "code"),
    [
        ("shop", "", {}, "condition.fill"),
        ("shop", KNOWN, {"fixed": (("opened", "2012-03-11"),)}, "condition.fill"),
        ("sale", "kind\na\n", {}, "condition.child_table"),
        ("shop", KNOWN, {"empty_is_missing": ("colour",)}, "condition.unknown_column"),
    ],
)
@on_sqlite
def test_what_cannot_be_filled_is_refused_before_it_is_queued(
    found: Installation,
    model_id: str,
    tmp_path: Path,
    name: str,
    text: str,
    asked: dict[str, object],
    code: str,
) -> None:
    given = Given(give(found, tmp_path / "known", **{name: text})) if text else None
    before = count(found)
    with pytest.raises(KinsynthError) as caught:
        start(found, model_id, Wishes(Asked(**asked), given, Fill()))  # type: ignore[arg-type]
    assert caught.value.code == code
    assert count(found) == before


@pytest.mark.parametrize("method", ["draw", "best"])
@on_sqlite
def test_rows_are_filled_as_on_ones_own_machine(
    found: Installation, model_id: str, trained: Path, tmp_path: Path, method: str
) -> None:
    given = Given(give(found, tmp_path / "known", shop=KNOWN))
    fill = Fill(method=method)  # type: ignore[arg-type]
    made = start(found, model_id, Wishes(Asked(temperature=0.9), given, fill), seed=3)
    perform(found, made)
    fill_file(
        trained / "out",
        tmp_path / "known" / "shop.csv",
        tmp_path / "filled.csv",
        method=method,
        seed=3,
        temperature=0.9,
    )
    assert tables(found, made) == {"tables/shop.csv": (tmp_path / "filled.csv").read_bytes()}
    assert given_files(found, made) == {}


def test_a_filling_takes_no_quota_for_other_root_tables(
    found: Installation, trained: Path, tmp_path: Path
) -> None:
    """It makes the given rows only, also when it is done again."""
    model_id = store_model(found, with_visits(trained, tmp_path / "model"))
    given = Given(give(found, tmp_path / "known", shop=KNOWN))
    filling = start(found, model_id, Wishes(given=given, fill=Fill()))
    assert found.row(filling).reserved_rows == 3
    with found.platform.records.write() as connection:
        connection.execute(update(executions).values(status="failed"))
    again, _ = starts.retry_execution(found.platform, found.actor, filling)
    assert again.rows == 3


@pytest.mark.parametrize("keys", ["generated", "copied"])
@on_sqlite
def test_rows_that_root_tables_grow_by_are_counted(
    found: Installation, trained: Path, tmp_path: Path, keys: str
) -> None:
    folder = with_visits(trained, tmp_path / "model")
    facts = read_json(folder / "model.json")
    write_json(folder / "model.json", {**facts, "keys": keys})
    wanted = 3 * facts["rows"]["shop"]
    made = start(found, store_model(found, folder), Wishes(), rows={"shop": wanted})
    assert found.row(made).reserved_rows == wanted + (1_500 if keys == "generated" else 500)


def test_a_drawing_with_conditions_is_repeated_with_them(
    found: Installation, model_id: str, trained: Path, tmp_path: Path
) -> None:
    made = start(found, model_id, Wishes(Asked(**ASKED)), rows={"shop": 40}, seed=3)
    perform(found, made)
    again, _ = starts.retry_execution(found.platform, found.actor, made, first_step="synthesis")
    assert again.request == found.row(made).request
    perform(found, again.id)
    generate(trained / "out", rows={"shop": 40}, seed=3, request=Request(**ASKED), output=tmp_path / "o")
    expected = {f"tables/{path.name}": path.read_bytes() for path in (tmp_path / "o" / "tables").iterdir()}
    assert tables(found, made) == tables(found, again.id) == expected


def test_one_that_is_cancelled_leaves_no_given_rows(
    found: Installation, model_id: str, tmp_path: Path
) -> None:
    made = start(found, model_id, Wishes(given=Given(give(found, tmp_path / "known", shop=KNOWN))))
    assert len(given_files(found, made)) == 2
    cancel_execution(found.platform, found.actor, made)
    clear_ended(found.platform)
    assert given_files(found, made) == {}
