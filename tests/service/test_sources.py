"""Sources: versions that never change once sealed, uploads that are whole or absent, foreign ones unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from installation import make_person, make_source, running_platform
from kinsynth.errors import AccessError, ConflictError, KinsynthError, SourceError, UserError
from kinsynth.service import sources
from kinsynth.service.actor import Actor
from kinsynth.service.analysis import versions
from kinsynth.service.analysis.views import Window
from kinsynth.service.pages import Wanted
from kinsynth.service.platform import Platform
from kinsynth.service.receipts import list_receipts
from kinsynth.storage.records import Records
from kinsynth.storage.tables import artefacts, audit, files
from shop_database import write_shops

CSV = b"id,x\n1,2\n"


@pytest.fixture
def opened(platform: Platform, ann: Actor) -> str:
    """A source with an open version 1."""
    source, _ = sources.create_source(platform, ann, "shops")
    sources.open_version(platform, ann, source.id)
    return source.id


def code_of(call: object, *arguments: object, **more: object) -> str:
    with pytest.raises(KinsynthError) as caught:
        call(*arguments, **more)  # type: ignore[operator]
    return caught.value.code


def test_a_sealed_version_does_not_change(platform: Platform, ann: Actor, opened: str) -> None:
    sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[CSV[:4], CSV[4:]])
    sealed = sources.seal_version(platform, ann, opened, 1)
    assert sealed.sealed
    assert sources.seal_version(platform, ann, opened, 1) == sealed
    assert code_of(sources.put_file, platform, ann, opened, 1, name="b.csv", chunks=[CSV]) == "source.sealed"
    assert code_of(sources.remove_file, platform, ann, opened, 1, "a.csv") == "source.sealed"
    assert sources.read_source(platform, ann, opened).version == 1
    version, _ = sources.open_version(platform, ann, opened, copy=True)
    assert [one.name for one in version.files] == ["a.csv"]
    assert code_of(sources.open_version, platform, ann, opened) == "source.version_open"


def test_the_digest_follows_names_and_contents(platform: Platform, ann: Actor) -> None:
    def sealed(name: str, content: bytes) -> str | None:
        source, _ = sources.create_source(platform, ann, "s")
        sources.open_version(platform, ann, source.id)
        sources.put_file(platform, ann, source.id, 1, name=name, chunks=[content])
        return sources.seal_version(platform, ann, source.id, 1).digest

    assert sealed("a.csv", CSV) == sealed("a.csv", CSV)
    assert len({sealed("a.csv", CSV), sealed("b.csv", CSV), sealed("a.csv", CSV + b"2,3\n")}) == 3


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("../a.csv", CSV, "source.file_name"),
        ("a\\b.csv", CSV, "source.file_name"),
        (".a.csv", CSV, "source.file_name"),
        ("a\0.csv", CSV, "source.file_name"),
        ("\ud800.csv", CSV, "source.file_name"),
        ("x" * 300 + ".csv", CSV, "source.file_name"),
        ("a.exe", CSV, "source.unknown_kind"),
        ("a.csv.gz", CSV, "source.compressed"),
        ("a.csv", b"\x1f\x8b123", "source.compressed"),
        ("a.csv", b"PAR1....", "source.wrong_type"),
        ("a.xlsx", CSV, "source.wrong_type"),
        ("a.csv", b"", "source.empty"),
    ],
)
def test_what_is_no_table_is_refused(
    platform: Platform, ann: Actor, opened: str, name: str, content: bytes, code: str
) -> None:
    assert code_of(sources.put_file, platform, ann, opened, 1, name=name, chunks=[content]) == code
    assert code_of(sources.seal_version, platform, ann, opened, 1) == "source.no_files"


def test_an_upload_that_is_cut_or_too_large_leaves_nothing(
    records: Records, tmp_path: Path, platform: Platform, ann: Actor, opened: str
) -> None:
    def cut() -> Iterator[bytes]:
        yield CSV
        raise ConnectionError

    with pytest.raises(ConnectionError):
        sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=cut())
    with running_platform(records, tmp_path / "data", max_upload_bytes=10) as small:
        assert (
            code_of(sources.put_file, small, ann, opened, 1, name="a.csv", chunks=[CSV, CSV])
            == "source.too_large"
        )
    with records.read() as connection:
        for table in (files, artefacts):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    left = [
        path for path in (tmp_path / "data" / "scratch").rglob("*") if path.is_file() and path.stat().st_size
    ]
    assert left == []


def test_foreign_sources_are_not_there(platform: Platform, ann: Actor, bob: Actor, opened: str) -> None:
    foreign = code_of(sources.read_source, platform, bob, opened)
    assert foreign == code_of(sources.read_source, platform, bob, "src_" + "a" * 20) == "access.not_found"
    assert (
        code_of(sources.put_file, platform, bob, opened, 1, name="a.csv", chunks=[CSV]) == "access.not_found"
    )
    assert sources.list_sources(platform, bob, Wanted()).items == ()


def test_pages_hold_every_source_once(platform: Platform, ann: Actor) -> None:
    made = {sources.create_source(platform, ann, f"s{n}")[0].id for n in range(7)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = sources.list_sources(platform, ann, Wanted(3, cursor))
        seen += [one.id for one in page.items]
        if (cursor := page.next) is None:
            break
    assert sorted(seen) == sorted(made)
    assert code_of(sources.list_sources, platform, ann, Wanted(3, "???")) == "request.cursor"
    assert code_of(sources.list_sources, platform, ann, Wanted(0)) == "request.limit"


def test_pages_hold_every_version_once(platform: Platform, ann: Actor, opened: str) -> None:
    for number in range(1, 6):
        sources.put_file(platform, ann, opened, number, name="a.csv", chunks=[CSV])
        sources.seal_version(platform, ann, opened, number)
        sources.open_version(platform, ann, opened)
    first = sources.list_versions(platform, ann, opened, Wanted(4))
    second = sources.list_versions(platform, ann, opened, Wanted(4, first.next))
    assert [[one.number for one in page.items] for page in (first, second)] == [[6, 5, 4, 3], [2, 1]]
    assert second.next is None
    assert code_of(sources.list_versions, platform, ann, opened, Wanted(4, "???")) == "request.cursor"


def test_a_file_taken_out_or_replaced_leaves_a_receipt(platform: Platform, ann: Actor, opened: str) -> None:
    for content in (CSV, CSV, CSV + b"2,3\n"):
        sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[content])
    sources.remove_file(platform, ann, opened, 1, "a.csv")
    admin = make_person(platform, "admin")
    found = list_receipts(platform, admin, Wanted(), subject_id=opened).items
    said = {"kind": "source", "version": 1}
    assert [(one.reason, one.files, one.bytes, one.details) for one in found] == [
        ("deleted", 1, len(CSV) + 4, said),
        ("replaced", 1, len(CSV), said),
    ], "the same content again replaces nothing"
    assert "a.csv" not in str(found)


def test_the_same_request_makes_one_source(platform: Platform, ann: Actor) -> None:
    first, made = sources.create_source(platform, ann, "s", key="k")
    again, again_made = sources.create_source(platform, ann, "s", key="k")
    assert (first, made, again_made) == (again, True, False)
    with pytest.raises(ConflictError, match=r"idempotency.reused"):
        sources.create_source(platform, ann, "other", key="k")


def test_a_deleted_source_takes_its_files_along(platform: Platform, ann: Actor, tmp_path: Path) -> None:
    write_shops(tmp_path / "shops")
    source_id = make_source(platform, ann, tmp_path / "shops")
    versions.preview_version(platform, ann, source_id, 1, Window("shop", 0, 5))
    sources.delete_source(platform, ann, source_id)
    with platform.records.read() as connection:
        assert connection.execute(select(func.count()).select_from(files)).scalar_one() == 0
        told = connection.execute(
            select(audit.c.action, audit.c.actor_id, audit.c.object_id).order_by(audit.c.number)
        ).all()
    assert told[-1] == ("sources.delete", ann.user_id, source_id)
    assert platform.artefacts.collect() > 3
    assert code_of(sources.read_source, platform, ann, source_id) == "access.not_found"


def test_a_version_is_parsed_once(platform: Platform, ann: Actor, tmp_path: Path) -> None:
    write_shops(tmp_path / "shops")
    source_id = make_source(platform, ann, tmp_path / "shops")
    called: list[str] = []
    usual = platform.analysts._call

    def counted(function: str, *rest: object) -> object:
        called.append(function)
        return usual(function, *rest)  # type: ignore[arg-type]

    platform.analysts._call = counted  # type: ignore[method-assign,assignment]
    page = versions.preview_version(platform, ann, source_id, 1, Window("shop", 2, 3))
    assert page.columns == ("shop_id", "region_id", "size", "opened")
    assert (len(page.rows), page.total, page.rows[0][0]) == (3, 150, "S0002")
    found = versions.detect_version(platform, ann, source_id, 1, {})
    assert found == versions.detect_version(platform, ann, source_id, 1, {})
    assert called == ["parse_files", "detect"]
    assert {one.name: one.primary_key for one in found.tables} == {
        "region": ("region_id",),
        "shop": ("shop_id",),
        "sale": ("sale_id",),
    }
    assert {(one.table, one.references_table) for one in found.relations if one.used} == {
        ("sale", "shop"),
        ("shop", "region"),
    }
    assert found.document["tables"]["sale"]["primary_key"] == ["sale_id"]
    with pytest.raises(UserError, match=r"region, sale, shop"):
        versions.preview_version(platform, ann, source_id, 1, Window("no", 0, 5))


def test_another_way_of_reading_is_another_parse(platform: Platform, ann: Actor, opened: str) -> None:
    sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[b"id;x\n", b"0;n\n1;n\n" * 20])
    sources.seal_version(platform, ann, opened, 1)

    def look() -> versions.Version:
        return versions.find_version(platform, opened)

    def first(document: dict[str, object]) -> tuple[str | None, ...]:
        return versions.preview_tables(platform, ann, look, document, Window("a", 0, 1)).rows[0]

    document = {"source": {"delimiter": "semicolon", "null_values": ["n"]}}
    assert first(document) == ("0", None)
    assert first({}) == ("0", "n")


def test_files_that_cannot_be_read_say_why(platform: Platform, ann: Actor, opened: str) -> None:
    sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[b"id,x\n1,2,3\n"])
    sources.put_file(platform, ann, opened, 1, name="b.parquet", chunks=[b"PAR1nonsense"])
    sources.seal_version(platform, ann, opened, 1)
    with pytest.raises(SourceError) as caught:
        versions.detect_version(platform, ann, opened, 1, {})
    assert {finding.where.partition(":")[0] for finding in caught.value.findings} >= {"b.parquet"}


def test_a_lost_file_is_a_source_that_is_gone(platform: Platform, ann: Actor, opened: str) -> None:
    sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[CSV])
    sources.seal_version(platform, ann, opened, 1)
    for name in list(platform.artefacts.store.names()):
        platform.artefacts.store.remove(name)
    assert code_of(versions.preview_version, platform, ann, opened, 1, Window("a", 0, 5)) == "source.gone"


def test_paths_of_the_machine_are_never_read(platform: Platform, ann: Actor, opened: str) -> None:
    sources.put_file(platform, ann, opened, 1, name="a.csv", chunks=[CSV])
    sources.seal_version(platform, ann, opened, 1)
    found = versions.detect_version(platform, ann, opened, 1, {"source": {"paths": ["/etc/passwd"]}})
    assert [one.file for one in found.tables] == ["a.csv"]
    assert found.document["source"]["paths"] == []


def test_admins_read_no_foreign_source(platform: Platform, ann: Actor, opened: str) -> None:
    with pytest.raises(AccessError, match=r"access.not_found"):
        sources.read_source(platform, make_person(platform, "admin"), opened)
