"""Keys are read from a file, or made once; what is no key is refused."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kinsynth.errors import SettingsError, UserError
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.keys import load_keys, make_key


def test_a_key_is_made_once_for_all_processes(tmp_path: Path) -> None:
    deployment = Deployment(data=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load_keys(deployment), range(16)))
    assert len({keys.newest.id for keys in found}) == 1
    assert stat.S_IMODE((tmp_path / "data" / "keys").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["keys"]
    assert not found[0].encrypts_files


def test_a_key_file_is_read_newest_first_and_encrypts_files(tmp_path: Path) -> None:
    new, old = make_key(), make_key()
    path = tmp_path / "keys.txt"
    path.write_text(f"# ours\n{new}\n\n{old}\n")
    keys = load_keys(Deployment(data=tmp_path, key_file=path))
    assert [key.secret for key in keys.all] == [base64.b64decode(new), base64.b64decode(old)]
    assert keys.encrypts_files
    assert keys.find(keys.all[1].id) == keys.all[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no key"),
        ("# nothing", "no key"),
        ("not base64!", "line 1 is not base64"),
        (base64.b64encode(b"x" * 16).decode(), "line 1 holds 16 bytes"),
        (base64.b64encode(b"x" * 32).decode(), "line 1 is not random"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keys.txt"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said) as caught:
        load_keys(Deployment(data=tmp_path, key_file=path))
    assert caught.value.code == "keys.file"
    assert not text or text[:1] == "#" or text not in str(caught.value)


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_keys(Deployment(data=tmp_path, key_file=tmp_path / "nowhere"))
    assert caught.value.code == "machine.path"


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    key = load_keys(Deployment(data=tmp_path)).newest
    assert base64.b64encode(key.secret).decode() not in repr(key)
    assert key.secret.hex() not in repr(key)
    assert "secret" not in repr(key)
