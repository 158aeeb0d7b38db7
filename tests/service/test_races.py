"""Two who change the same object at once: one after the other, on both databases, never a failure of ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from finished_run import succeed
from installation import make_source
from kinsynth.errors import KinsynthError
from kinsynth.service import executions, models, sources, starts, syntheses
from kinsynth.service.actor import Actor
from kinsynth.service.analysis import versions
from kinsynth.service.analysis.views import Window
from kinsynth.service.pages import Wanted
from kinsynth.service.platform import Platform
from kinsynth.service.quotas import grant, read_quotas
from kinsynth.service.sources import digest_files
from kinsynth.service.starts import Order
from kinsynth.storage import tables
from shop_database import SHOPS, write_shops

ROWS = SHOPS  # of the root table that is drawn
ROUNDS = [pytest.param(2, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.soak)]
CSV = b"id,x\n1,2\n"
DOCUMENT = {"tables": {"region": {"original": True}}}


@pytest.fixture
def opened(platform: Platform, ann: Actor) -> str:
    """A source with an open version 1."""
    source, _ = sources.create_source(platform, ann, "s")
    sources.open_version(platform, ann, source.id)
    return source.id


@pytest.fixture
def source_id(platform: Platform, ann: Actor, tmp_path: Path) -> str:
    """A sealed source with three tables."""
    write_shops(tmp_path / "shops")
    return make_source(platform, ann, tmp_path / "shops")


@pytest.fixture
def synthesis_id(platform: Platform, ann: Actor, source_id: str) -> str:
    """A synthesis that fits its source."""
    return syntheses.create_synthesis(platform, ann, source_id, name="Shops", document=DOCUMENT)[0].id


@pytest.fixture
def checked_id(platform: Platform, ann: Actor, synthesis_id: str) -> str:
    """The same, checked before: twenty first checks at once keep the analysts busy for long."""
    first, _ = starts.start_run(platform, ann, synthesis_id, Order())
    executions.cancel_execution(platform, ann, first.id)
    return synthesis_id


def outcomes(times: int, call: Callable[[int], object]) -> list[str]:
    """Call at once from as many threads; gives codes of errors, or what came back."""

    def one(number: int) -> str:
        try:
            return str(call(number))
        except KinsynthError as error:
            return error.code

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(one, range(times)))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(KinsynthError) as caught:
        call()
    return caught.value.code


def interrupted(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, meanwhile: Callable[[], Any]
) -> None:
    """Let something happen after a function was called, the first time."""
    usual = getattr(module, name)

    def call(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(module, name, usual)
        found = usual(*arguments, **more)
        meanwhile()
        return found

    monkeypatch.setattr(module, name, call)


def test_a_file_never_comes_into_a_version_after_its_seal(
    platform: Platform, ann: Actor, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[CSV])
    started: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:

        def seal() -> None:
            started.append(pool.submit(sources.seal_version, platform, ann, opened, 1))
            time.sleep(0.5)  # long enough to get through, if nothing held it up

        interrupted(monkeypatch, sources, "list_files", seal)
        sources.put_file(platform, ann, opened, 1, name="b.csv", chunks=[CSV])
        sealed = started[0].result()
    found = sources.read_version(platform, ann, opened, 1)
    assert found == sealed
    assert found.digest == digest_files({one.name: one.sha256 for one in found.files})
    assert [one.name for one in found.files] == ["a.csv", "b.csv"]


def test_one_version_is_opened(platform: Platform, ann: Actor) -> None:
    source, _ = sources.create_source(platform, ann, "s")
    found = outcomes(12, lambda _: sources.open_version(platform, ann, source.id)[1])
    assert found == ["True", *["source.version_open"] * 11]


def test_one_request_sent_twenty_times_at_once_is_one(platform: Platform, ann: Actor) -> None:
    source, _ = sources.create_source(platform, ann, "s")
    found = outcomes(20, lambda _: sources.open_version(platform, ann, source.id, key="k")[1])
    assert found == [*["False"] * 19, "True"]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_starts_with_one_key_at_once_are_one_execution(
    platform: Platform, ann: Actor, checked_id: str, rounds: int
) -> None:
    for number in range(rounds):
        order = Order(key=f"k{number}")
        started = outcomes(20, lambda _, o=order: starts.start_run(platform, ann, checked_id, o)[0].id)
        assert len(set(started)) == 1
    assert count_queued(platform) == rounds
    assert used(platform, ann) == (0, rounds * ROWS)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_starts_and_cancels_at_once_never_pass_the_quota_nor_stay_below_it(
    platform: Platform, ann: Actor, checked_id: str, rounds: int
) -> None:
    """Twenty at once where three have room; then all are cancelled at once, and there is room for three."""
    with platform.records.write() as connection:
        grant(connection, ann.user_id, "rows", limit=3 * ROWS, period="month")
    for _ in range(rounds):
        started = outcomes(20, lambda _: starts.start_run(platform, ann, checked_id, Order())[0].id)
        mine = [one for one in started if one.startswith("exe_")]
        assert len(mine) == 3
        assert set(started) - set(mine) == {"quota.rows"}
        assert used(platform, ann) == (0, 3 * ROWS)
        twice = [*mine, *mine]
        ended = outcomes(6, lambda n, t=twice: executions.cancel_execution(platform, ann, t[n]).status)
        assert ended.count("cancelled") >= 3
        assert set(ended) <= {"cancelled", "execution.finished"}
        assert used(platform, ann) == (0, 0)


def count_queued(platform: Platform) -> int:
    with platform.records.read() as connection:
        queued = select(func.count()).where(tables.executions.c.status == "queued")
        return connection.execute(queued).scalar_one()


def used(platform: Platform, actor: Actor) -> tuple[float, float]:
    """Give the rows that somebody has used and reserved."""
    with platform.records.read() as connection:
        found = next(one for one in read_quotas(connection, actor.user_id) if one.resource == "rows")
    return found.used, found.reserved


def test_uploads_of_one_name_replace_each_other(platform: Platform, ann: Actor, opened: str) -> None:
    def put(number: int) -> str:
        return sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[CSV, b"%d,3\n" % number]).name

    assert set(outcomes(12, put)) == {"a.csv"}
    assert len(sources.read_version(platform, ann, opened, 1).files) == 1


def test_a_version_is_looked_at_by_several_at_once(platform: Platform, ann: Actor, source_id: str) -> None:
    def look(_: int) -> int:
        return versions.preview_version(platform, ann, source_id, 1, Window("shop")).total

    assert set(outcomes(4, look)) == {"150"}


@pytest.mark.parametrize("what", ["source", "synthesis"])
def test_what_is_deleted_while_a_run_is_checked_is_told(
    platform: Platform,
    ann: Actor,
    source_id: str,
    synthesis_id: str,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    def remove() -> None:
        if what == "source":
            sources.delete_source(platform, ann, source_id)
        else:
            syntheses.delete_synthesis(platform, ann, synthesis_id)

    interrupted(monkeypatch, starts, "check_version", remove)
    found = code_of(lambda: starts.start_run(platform, ann, synthesis_id, Order(key="k")))
    assert found == {"source": "source.gone", "synthesis": "access.not_found"}[what]
    assert executions.list_executions(platform, ann, Wanted()).items == ()


@pytest.mark.parametrize("what", ["model", "execution", "source"])
def test_what_is_deleted_while_a_drawing_is_begun(
    platform: Platform,
    ann: Actor,
    source_id: str,
    synthesis_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    trained, _ = starts.start_run(platform, ann, synthesis_id, Order())
    model_id = succeed(platform, trained.id, tmp_path)

    def remove() -> None:
        match what:
            case "model":
                models.delete_model(platform, ann, model_id)
            case "execution":
                executions.delete_execution(platform, ann, trained.id)
            case _:
                sources.delete_source(platform, ann, source_id)

    interrupted(monkeypatch, starts, "read_model_facts", remove)

    def draw() -> str | None:
        return starts.start_drawing(platform, ann, synthesis_id, model_id, Order())[0].source_id

    if what == "source":  # a drawing needs the model only
        assert draw() is None
    else:
        assert code_of(draw) == "access.not_found"


def test_an_execution_is_deleted_while_it_is_retried(
    platform: Platform, ann: Actor, synthesis_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = starts.start_run(platform, ann, synthesis_id, Order())
    executions.cancel_execution(platform, ann, old.id)
    interrupted(
        monkeypatch, starts, "check_version", lambda: executions.delete_execution(platform, ann, old.id)
    )
    assert code_of(lambda: starts.retry_execution(platform, ann, old.id)) == "access.not_found"


def test_a_model_is_not_deleted_under_a_drawing(
    platform: Platform, ann: Actor, synthesis_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, _ = starts.start_run(platform, ann, synthesis_id, Order())
    model_id = succeed(platform, trained.id, tmp_path)
    started: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:

        def remove() -> None:
            started.append(pool.submit(models.delete_model, platform, ann, model_id))
            time.sleep(0.5)

        interrupted(monkeypatch, starts, "make_id", remove)  # within the transaction of the start
        starts.start_drawing(platform, ann, synthesis_id, model_id, Order())
        assert code_of(started[0].result) == "model.in_use"
