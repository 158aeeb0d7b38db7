"""A backup holds everything, survives a change of database, and nothing in it runs a second time."""

from __future__ import annotations

import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import select, update

from executions_at_hand import add_surroundings, insert_execution
from kinsynth.errors import ConflictError, KinsynthError, UserError
from kinsynth.service.backup import back_up, restore
from kinsynth.service.quotas import grant, reserve
from kinsynth.storage.artefacts import Artefacts
from kinsynth.storage.files import attach, list_files
from kinsynth.storage.keys import Key, Keys
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.store import FolderStore
from kinsynth.storage.tables import executions, files, quotas, users

KEYS = Keys((Key(b"k" * 32),), encrypts_files=True)


def fill(records: Records, store: FolderStore, place: Path) -> None:
    """Make a person, a source with files and two executions, one of them running."""
    artefacts = Artefacts(records, store, KEYS)
    stored = {}
    for name, label in (("a.csv", "original"), ("b.csv", "protected")):
        path = place / name
        path.write_bytes(name.encode() * 100_000)
        stored[name] = artefacts.put_file(path, label)  # type: ignore[arg-type]
    with records.write() as connection:
        add_surroundings(connection)
        grant(connection, "usr_a", "seconds", limit=100, period="day")
        grant(connection, "usr_a", "rows", limit=None, period="day")
        reserve(connection, "usr_a", seconds=60, rows=5)
        attach(connection, "src_a", 1, stored)
        for number, (name, status) in enumerate((("exe_z", "succeeded"), ("exe_a", "running"))):
            insert_execution(
                connection,
                id=name,
                ancestor_id="exe_z" if number else None,
                document={"ä": [1, None]},
                status=status,
                epoch=3,
                lease_expires_at=5e9,
                reserved_seconds=60,
                reserved_rows=5,
                created_at=float(number),
            )


@pytest.fixture
def filled(records: Records, tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    fill(records, store, tmp_path)
    return store


def other(tmp_path: Path, name: str) -> tuple[Records, FolderStore]:
    """An empty installation on SQLite."""
    found = Records(f"sqlite:///{tmp_path / name}.sqlite")
    migrate(found)
    return found, FolderStore(tmp_path / f"{name}-store")


def test_everything_comes_back(records: Records, filled: FolderStore, tmp_path: Path) -> None:
    shares: list[float] = []
    made = back_up(records, filled, tmp_path / "backup.tar", on_share=lambda share, _: shares.append(share))
    assert made.files == 2
    assert shares == sorted(shares)
    assert shares[-1] == 1
    again, store = other(tmp_path, "again")
    assert restore(again, store, tmp_path / "backup.tar") == made
    artefacts = Artefacts(again, store, KEYS)
    with again.read() as connection:
        found = list_files(connection, "src_a", 1)
        people = connection.execute(select(users.c.name)).scalars().all()
        document = connection.execute(select(executions.c.document)).scalars().first()
    assert {name: b"".join(artefacts.read(one)) for name, one in found.items()} == {
        name: name.encode() * 100_000 for name in ("a.csv", "b.csv")
    }
    assert (people, document) == (["Ä"], {"ä": [1, None]})
    again.close()


def test_nothing_runs_twice(records: Records, filled: FolderStore, tmp_path: Path) -> None:
    back_up(records, filled, tmp_path / "backup.tar")
    again, store = other(tmp_path, "again")
    restore(again, store, tmp_path / "backup.tar")
    with again.read() as connection:
        rows = {row.id: row for row in connection.execute(select(executions))}
        held = connection.execute(select(quotas.c.reserved)).scalars().all()
    assert (rows["exe_a"].status, rows["exe_a"].error["code"]) == ("failed", "execution.restored")
    assert (rows["exe_a"].epoch, rows["exe_a"].lease_expires_at) == (4, 0)
    assert rows["exe_z"].status == "succeeded"
    assert held == [0, 0]
    again.close()


def test_a_backup_holds_no_key_and_no_plain_raw_data(
    records: Records, filled: FolderStore, tmp_path: Path
) -> None:
    back_up(records, filled, tmp_path / "backup.tar")
    content = (tmp_path / "backup.tar").read_bytes()
    assert b"k" * 32 not in content
    assert b"a.csva.csv" not in content
    assert b"b.csvb.csv" in content


def test_a_blob_that_a_file_names_must_be_there(
    records: Records, filled: FolderStore, tmp_path: Path
) -> None:
    for name in [*filled.names()]:
        filled.remove(name)
    with pytest.raises(UserError) as caught:
        back_up(records, filled, tmp_path / "backup.tar")
    assert caught.value.code == "artefact.missing"
    assert [path for path in tmp_path.iterdir() if "backup" in path.name] == []


def test_a_blob_that_cannot_be_read_is_not_taken_as_missing(
    records: Records, filled: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_store: FolderStore, _name: str) -> None:
        raise UserError("artefacts.refused", "The store does not let us in.")

    monkeypatch.setattr(FolderStore, "open", refuse)
    with pytest.raises(UserError) as caught:
        back_up(records, filled, tmp_path / "backup.tar")
    assert caught.value.code == "artefacts.refused"


def test_only_an_empty_installation_takes_a_backup(
    records: Records, filled: FolderStore, tmp_path: Path
) -> None:
    back_up(records, filled, tmp_path / "backup.tar")
    with pytest.raises(ConflictError) as caught:
        restore(records, filled, tmp_path / "backup.tar")
    assert caught.value.code == "backup.not_empty"
    with pytest.raises(UserError) as twice:
        back_up(records, filled, tmp_path / "backup.tar")
    assert twice.value.code == "backup.exists"


def test_a_changed_backup_is_refused_and_changes_nothing(
    records: Records, filled: FolderStore, tmp_path: Path
) -> None:
    whole = tmp_path / "backup.tar"
    back_up(records, filled, whole)
    content = whole.read_bytes()
    again, store = other(tmp_path, "again")
    cut = [content[: len(content) // 2], content[:-20_000], b"", b"no tar at all" * 100]
    flipped = [
        content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        for at in range(600, len(content) - 12_000, len(content) // 40)
        if content[at] or content[at + 1]  # padding between parts means nothing
    ]
    for damaged in (*cut, *flipped):
        whole.write_bytes(damaged)
        with pytest.raises(KinsynthError) as caught:
            restore(again, store, whole)
        assert caught.value.code == "backup.damaged"
    with again.read() as connection:
        assert connection.execute(select(files.c.path)).all() == []
    assert [*store.names()] == []
    again.close()


def test_parts_that_are_no_plain_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("backup.json", "../evil", "manifest.json"):
            tar.addfile(tarfile.TarInfo(name))
    again, store = other(tmp_path, "again")
    with pytest.raises(UserError) as caught:
        restore(again, store, path)
    assert caught.value.code == "backup.damaged"
    again.close()


def test_what_is_given_up_while_the_backup_is_made_is_no_loss(
    records: Records, filled: FolderStore, tmp_path: Path
) -> None:
    """A blob that was released between the moment of the rows and its turn is left out, with its file."""

    class Losing(FolderStore):
        def open(self, name: str):  # type: ignore[no-untyped-def]
            if name.startswith("original/") and self.has(name):
                with records.write() as connection:
                    connection.execute(files.delete().where(files.c.label == "original"))
                self.remove(name)
            return super().open(name)

    if records.is_sqlite:
        with records.write() as connection:  # a reader's moment does not hold up writers in WAL mode
            connection.execute(update(quotas).values(used=0.0))
    assert back_up(records, Losing(filled.folder), tmp_path / "backup.tar").files == 1
    again, store = other(tmp_path, "again")
    assert restore(again, store, tmp_path / "backup.tar").rows["files"] == 1
    again.close()


def test_a_backup_is_for_its_owner_and_one_that_was_cut_short_is_not_overwritten(
    records: Records, filled: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "too small for a large blob"))
    back_up(records, filled, tmp_path / "it.tar")
    assert stat.S_IMODE((tmp_path / "it.tar").stat().st_mode) == 0o600
    (tmp_path / ".other.tar.tmp").write_bytes(b"half of one")
    with pytest.raises(UserError) as caught:
        back_up(records, filled, tmp_path / "other.tar")
    assert (caught.value.code, caught.value.where) == ("backup.exists", ".other.tar.tmp")
    assert (tmp_path / ".other.tar.tmp").read_bytes() == b"half of one", "somebody may be writing it"
