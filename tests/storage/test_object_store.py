"""A store in a bucket: its network fails, its settings are wrong, and nobody sees half a file."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_s3 import SECRET, FakeS3, Faults, running_s3
from kinsynth.errors import KinsynthError, SettingsError, TransientError, UserError
from kinsynth.storage.artefacts import Artefacts
from kinsynth.storage.bucket import read_bucket
from kinsynth.storage.files import attach, detach, list_files
from kinsynth.storage.object_store import PART, ObjectStore
from kinsynth.storage.records import Records
from kinsynth.storage.store import FolderStore, Store
from kinsynth.storage.stores import make_store
from storage.object_toys import deploy, make_object_store
from storage.storage_toys import make_keys

LARGE = PART + (6 << 20)


@pytest.fixture
def server() -> Iterator[FakeS3]:
    with running_s3() as found:
        yield found


@pytest.fixture
def store(server: FakeS3) -> ObjectStore:
    return make_object_store(server.url)


def chunks(size: int) -> Iterator[bytes]:
    yield from (b"x" * min(1 << 20, size - start) for start in range(0, size, 1 << 20))


def read_all(store: Store, name: str) -> bytes:
    with store.open(name) as read:
        return b"".join(iter(lambda: read(1 << 20), b""))


def always(**faults: object) -> Faults:
    return Faults(times=-1, **faults)  # type: ignore[arg-type]


USES = {
    "write": lambda store: store.write("a/b", [b"x" * 100]),
    "write_large": lambda store: store.write("a/b", chunks(LARGE)),
    "open": lambda store: read_all(store, "there"),
    "has": lambda store: store.has("there"),
    "remove": lambda store: store.remove("there"),
    "names": lambda store: list(store.names()),
    "check": lambda store: store.check(),
    "remove_parts": lambda store: store.remove_parts(older_than_s=0, now=time.time()),
}
AWAY = {
    "no_answer": always(delay_s=1.4),
    "cut": always(drop_answer=True),
    "busy": always(status=503),
    "broken": always(status=500, code="InternalError"),
    "full": always(status=507, code="Full"),
    "throttled": always(status=429, code="TooManyRequests"),
    "timed_out": always(status=400, code="RequestTimeout"),
}


@pytest.mark.parametrize(
    ("use", "away"),
    # An answer to HEAD names no cause: a time-out of the store cannot be told from a refusal there.
    [one for one in itertools.product(USES, AWAY) if one[1] != "no_answer" and one != ("has", "timed_out")],
)
def test_a_store_that_is_away_is_an_error_that_passes(
    server: FakeS3, store: ObjectStore, use: str, away: str
) -> None:
    store.write("there", [b"x" * 100])
    server.faults = AWAY[away]
    with pytest.raises(TransientError) as caught:
        USES[use](store)
    assert caught.value.code == "artefacts.unavailable"
    assert SECRET not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("use", USES)
def test_a_store_that_does_not_answer_is_given_up(server: FakeS3, store: ObjectStore, use: str) -> None:
    store.write("there", [b"x" * 100])
    server.faults = AWAY["no_answer"]
    began = time.monotonic()
    with pytest.raises(TransientError):
        USES[use](store)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("use", USES)
def test_nobody_at_the_address_is_an_error_that_passes(use: str) -> None:
    with running_s3() as gone:
        store = make_object_store(gone.url)
    with pytest.raises(TransientError) as caught:
        USES[use](store)
    assert caught.value.code == "artefacts.unavailable"


WRONG = [
    {"s3_secret_key": "wrong"},
    {"s3_access_key": "wrong"},
    {"s3_region": "us-other-1"},
    {"artefacts": "s3://nobody/pre/fix"},
]


@pytest.mark.parametrize(
    ("use", "wrong"),
    # HEAD does not tell a missing bucket from a missing blob.
    [one for one in itertools.product(USES, WRONG) if one[0] != "has" or "artefacts" not in one[1]],
    ids=str,
)
def test_what_the_store_refuses_is_an_error_of_the_settings(
    server: FakeS3, store: ObjectStore, use: str, wrong: dict[str, str]
) -> None:
    store.write("there", [b"x"])
    with pytest.raises(SettingsError) as caught:
        USES[use](make_object_store(server.url, **wrong))
    assert caught.value.code == "artefacts.settings"
    assert SECRET not in repr(caught.value) + str(caught.value.__dict__)


def test_a_redirect_is_an_error_of_the_settings(server: FakeS3, store: ObjectStore) -> None:
    server.faults = always(status=301, code="PermanentRedirect")
    for use in USES.values():
        with pytest.raises(SettingsError):
            use(store)


@pytest.mark.parametrize(
    ("use", "fault"),
    [
        *itertools.product(
            ["write", "write_large", "open", "has", "remove", "names"],
            [{"status": 503}, {"drop_answer": True}, {"cut_body_at": 50}],
        ),
        ("open", {"cut_answer_at": 50}),
    ],
    ids=str,
)
def test_one_failure_is_tried_again(
    server: FakeS3, store: ObjectStore, use: str, fault: dict[str, int]
) -> None:
    store.write("there", [b"x" * 100])
    server.faults = Faults(times=1, **fault)  # type: ignore[arg-type]
    USES[use](store)
    if use == "write_large":
        assert read_all(store, "a/b") == b"x" * LARGE


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize("skip", range(4))
@pytest.mark.parametrize("at", [0, 1, 99])
def test_a_write_that_is_cut_shows_nothing(
    server: FakeS3, store: ObjectStore, size: int, skip: int, at: int
) -> None:
    """Cut at a byte of the first request, of a part, or of the last one; what was there before stays."""
    server.faults = Faults(methods=frozenset({"PUT", "POST"}), skip=skip, times=-1, cut_body_at=at)
    try:
        store.write("a/b", chunks(size))
    except TransientError:
        assert "pre/fix/a/b" not in server.objects
    else:  # the cut came after the last request, or where there is no body
        assert server.objects["pre/fix/a/b"] == b"x" * size
        assert skip >= (1 if size == 100 else 3)
    server.faults = Faults()
    store.remove_parts(older_than_s=-60, now=time.time())
    assert server.uploads == {}


def test_a_large_file_whose_last_answer_is_lost_is_whole_or_absent(
    server: FakeS3, store: ObjectStore
) -> None:
    server.faults = Faults(methods=frozenset({"POST"}), skip=1, times=-1, drop_answer=True)
    with pytest.raises(TransientError):
        store.write("a/b", chunks(LARGE))
    assert server.objects.get("pre/fix/a/b") in (None, b"x" * LARGE)


def test_a_killed_writer_leaves_parts_that_are_removed_and_nothing_to_see(server: FakeS3) -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from storage.object_toys import make_object_store\n"
        "from storage.test_object_store import LARGE, chunks\n"
        "make_object_store(sys.argv[1]).write('a/b', chunks(LARGE))\n"
    )
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, "KINSYNTH_CRASH_AT": "store.before_close"}
    done = subprocess.run(
        [sys.executable, "-c", program, server.url, tests], env=environment, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert server.objects == {}
    assert len(server.uploads) == 1
    store = make_object_store(server.url)
    assert store.remove_parts(older_than_s=3600, now=time.time()) == 0
    assert store.remove_parts(older_than_s=-60, now=time.time()) == 1
    assert server.uploads == {}


def test_parts_are_listed_by_pages_and_only_below_our_prefix(server: FakeS3, store: ObjectStore) -> None:
    other = make_object_store(server.url, artefacts="s3://bucket/pre/fix2")
    for place, names in ((store, ("a b/ü+", "c", "c")), (other, ("d",))):
        for name in names:
            with pytest.raises(ZeroDivisionError):
                place.write(
                    name, (b"x" * (1 << 20) if number < 18 else b"x" * (1 // 0) for number in range(19))
                )
    server.page = 1
    assert len(server.uploads) == 4
    assert store.remove_parts(older_than_s=-60, now=time.time()) == 3
    assert [upload.key for upload in server.uploads.values()] == ["pre/fix2/d"]


def test_a_blob_that_is_replaced_or_removed_while_it_is_read_is_not_mixed(
    server: FakeS3, store: ObjectStore
) -> None:
    for change, wanted in (
        (lambda: store.write("a", [b"y" * LARGE]), TransientError),
        (lambda: store.remove("a"), UserError),
    ):
        store.write("a", chunks(LARGE))
        with store.open("a") as read:
            assert read(10) == b"x" * 10
            change()
            with pytest.raises(wanted):
                read(LARGE)


@pytest.mark.parametrize(
    ("variable", "wrong"),
    [
        ("KINSYNTH_ARTEFACTS", {"artefacts": "bucket/prefix"}),
        ("KINSYNTH_ARTEFACTS", {"artefacts": "s3://"}),
        ("KINSYNTH_ARTEFACTS", {"artefacts": "s3://UPPER"}),
        ("KINSYNTH_ARTEFACTS", {"artefacts": "s3://bucket/a/../b"}),
        ("KINSYNTH_ARTEFACTS", {"artefacts": "s3://bucket/a?b"}),
        ("KINSYNTH_ARTEFACTS", {"artefacts": "gs://bucket"}),
        ("KINSYNTH_S3_ACCESS_KEY", {"s3_access_key": ""}),
        ("KINSYNTH_S3_SECRET_KEY", {"s3_secret_key": ""}),
        ("KINSYNTH_S3_REGION", {"s3_region": "a/b"}),
        ("KINSYNTH_S3_ENDPOINT", {"s3_endpoint": "nonsense"}),
        ("KINSYNTH_S3_ENDPOINT", {"s3_endpoint": "ftp://store"}),
        ("KINSYNTH_S3_ENDPOINT", {"s3_endpoint": "https://user:password@store"}),
        ("KINSYNTH_S3_ENDPOINT", {"s3_endpoint": "https://store/path"}),
        ("KINSYNTH_S3_ENDPOINT", {"s3_endpoint": "https://st ore"}),
        ("KINSYNTH_S3_ENDPOINT", {"s3_endpoint": "https://store:99999"}),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_before_the_store_is_asked(variable: str, wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        make_store(deploy("https://store.example.org", **wrong))
    assert (caught.value.code, caught.value.where) == ("artefacts.settings", variable)
    assert "password" not in str(caught.value)


def test_the_settings_choose_the_store(tmp_path: Path) -> None:
    assert isinstance(make_store(deploy("", artefacts="", data=tmp_path)), FolderStore)
    bucket = read_bucket(deploy("", artefacts="s3://bucket//a/b/"))
    assert (bucket.endpoint, bucket.prefix) == ("https://s3.eu-test-1.amazonaws.com", "a/b")
    assert read_bucket(deploy("", artefacts="s3://bucket")).prefix == ""
    store = make_store(deploy("https://store.example.org"))
    assert isinstance(store, ObjectStore)
    assert SECRET not in repr(store.bucket) + repr(vars(store))


def test_variables_of_amazons_tools_change_nothing(
    server: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "other",
        "AWS_SECRET_ACCESS_KEY": "other",
        "AWS_SESSION_TOKEN": "other",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "other",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    }.items():
        monkeypatch.setenv(name, value)
    make_object_store(server.url).check()


def test_no_plain_http_unless_the_settings_say_so(server: FakeS3) -> None:
    store = make_object_store(server.url.replace("http://", "https://"))
    with pytest.raises(TransientError):
        store.check()
    assert server.log == []


def test_artefacts_are_kept_encrypted_in_a_bucket(
    server: FakeS3, records: Records, store: ObjectStore, tmp_path: Path
) -> None:
    artefacts = Artefacts(records, store, make_keys(tmp_path))
    path = tmp_path / "it"
    path.write_bytes(b"a cell of the source" * 100_000)
    stored = artefacts.put_file(path, "original")
    with records.write() as connection:
        attach(connection, "exe_1", 0, {"it": stored})
    (kept,) = server.objects.values()
    assert b"a cell" not in kept
    artefacts.fetch(stored, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == path.read_bytes()
    server.objects = {
        name: content[:-1] + bytes([content[-1] ^ 1]) for name, content in server.objects.items()
    }
    with pytest.raises(KinsynthError) as caught:
        artefacts.fetch(stored, tmp_path / "again")
    assert caught.value.code == "keys.tampered"
    with records.write() as connection:
        detach(connection, "exe_1")
        assert list_files(connection, "exe_1") == {}
    assert artefacts.collect_released() == 1
    assert server.objects == {}


def test_a_store_that_is_away_while_a_blob_is_collected_keeps_its_row(
    server: FakeS3, records: Records, store: ObjectStore, tmp_path: Path
) -> None:
    artefacts = Artefacts(records, store, make_keys(tmp_path))
    path = tmp_path / "it"
    path.write_bytes(b"x")
    artefacts.put_file(path, "original")
    server.faults = always(status=503)
    with pytest.raises(TransientError):
        artefacts.collect(rest_s=-1)
    server.faults = Faults()
    assert artefacts.collect(rest_s=-1) == 1
    assert server.objects == {}
