"""An installation whose files are in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_s3 import FakeS3, Faults, running_s3
from installation import make_person, make_source, running_platform
from kinsynth.errors import TransientError
from kinsynth.service import sources
from kinsynth.service.analysis import versions
from kinsynth.service.analysis.views import Window
from kinsynth.service.performing.worker import Janitor
from kinsynth.service.platform import Platform
from kinsynth.storage.records import Records
from storage.object_toys import deploy
from storage.storage_toys import make_keys

CSV = b"shop,town\n" + b"".join(b"%d,nowhere in particular\n" % number for number in range(50))


@pytest.fixture
def server() -> Iterator[FakeS3]:
    with running_s3() as found:
        yield found


@pytest.fixture
def platform(records: Records, server: FakeS3, tmp_path: Path) -> Iterator[Platform]:
    make_keys(tmp_path)
    names = ("artefacts", "s3_endpoint", "s3_region", "s3_access_key", "s3_secret_key")
    settings = {name: getattr(deploy(server.url), name) for name in names}
    with running_platform(records, tmp_path / "data", key_file=tmp_path / "keys.txt", **settings) as found:
        yield found


def test_a_source_is_kept_encrypted_read_from_and_removed(
    platform: Platform, server: FakeS3, tmp_path: Path
) -> None:
    ann = make_person(platform)
    folder = tmp_path / "shops"
    folder.mkdir()
    (folder / "shop.csv").write_bytes(CSV)
    source_id = make_source(platform, ann, folder)
    page = versions.preview_version(platform, ann, source_id, 1, Window("shop", 2, 1))
    assert page.rows == (("2", "nowhere in particular"),)
    assert server.objects
    assert all(key.startswith("pre/fix/original/") for key in server.objects)
    assert not any(b"nowhere" in content for content in server.objects.values())
    assert not (platform.deployment.data / "artefacts").exists()
    sources.delete_source(platform, ann, source_id)
    Janitor(platform).look()
    assert server.objects == {}


def test_an_upload_into_a_store_that_is_away_leaves_the_version_as_it_was(
    platform: Platform, server: FakeS3
) -> None:
    ann = make_person(platform)
    source, _ = sources.create_source(platform, ann, "shops")
    sources.open_version(platform, ann, source.id)
    server.faults = Faults(times=-1, status=503)
    with pytest.raises(TransientError) as caught:
        sources.put_file(platform, ann, source.id, 1, name="shop.csv", chunks=[CSV])
    assert caught.value.code == "artefacts.unavailable"
    server.faults = Faults()
    assert sources.read_version(platform, ann, source.id, 1).files == ()
    sources.put_file(platform, ann, source.id, 1, name="shop.csv", chunks=[CSV])
    assert [one.name for one in sources.read_version(platform, ann, source.id, 1).files] == ["shop.csv"]
