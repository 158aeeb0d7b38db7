"""Child processes: answers and errors come back, limits hold, nothing outlives its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kinsynth.errors import InternalError, OutOfMemory, SettingsError, SourceError, TransientError
from kinsynth.system.child import Conversation, LimitedChild, run_limited

FUNCTIONS = """
import ctypes, errno, os, socket, subprocess, sys, time, urllib.request
from kinsynth.errors import Finding, SettingsError

def echo(**arguments): return arguments
def shout(): print("noise on standard output"); return 1
def refuse(): raise SettingsError("a.code", "a message", where="here", remedy="a remedy")
def fault(): raise RuntimeError("the value of a cell")
def fill(): raise OSError(errno.ENOSPC, "the value of a cell")
def allocate(megabytes): return len(bytearray(megabytes << 20))
def crash(): ctypes.string_at(0)
def leave(): os._exit(3)
def be_killed(): os.kill(os.getpid(), 9)
def sleep(seconds, mark=None):
    if mark: open(mark, "w").write(str(os.getpid()))
    time.sleep(seconds)
def spin():
    while True: pass
def connect(): socket.create_connection(("127.0.0.1", 9))
def fetch(): urllib.request.urlopen("http://127.0.0.1:9/")
def spawn(): subprocess.run(["true"])
def remember(word): global known; known = (globals().get("known") or "") + word; return known
def find(): raise SettingsError("a.code", "a", findings=[Finding("b.code", "error", "", "b", "")])
def own(): return os.getpid()
def nest(folder):
    from kinsynth.system.child import run_limited
    inner = run_limited("childtest.own", {}, memory_bytes=1, timeout_s=1, folder=folder)
    return inner == os.getpid()
def modules(): return sorted(sys.modules)
def limits():
    import resource
    return [resource.getrlimit(resource.RLIMIT_CORE)[0], os.environ["OMP_NUM_THREADS"], os.getcwd()]
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call a function of the module above in a child process."""
    (tmp_path / "childtest.py").write_text(FUNCTIONS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))

    def run(name: str, *, memory_bytes: int = 1 << 30, timeout_s: int = 20, **arguments: Any) -> Any:
        return run_limited(
            f"childtest.{name}", arguments, memory_bytes=memory_bytes, timeout_s=timeout_s, folder=tmp_path
        )

    return run


def test_answers_come_back(call: Any) -> None:
    assert call("echo", text="ü\n", number=1.5, none=None) == {"text": "ü\n", "number": 1.5, "none": None}


def test_noise_does_not_disturb_the_answer(call: Any) -> None:
    assert call("shout") == 1


def test_our_errors_come_back_whole(call: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        call("refuse")
    error = caught.value
    assert (error.code, error.message, error.where, error.remedy) == (
        "a.code",
        "a message",
        "here",
        "a remedy",
    )


def test_unforeseen_errors_come_back_without_their_text(call: Any) -> None:
    with pytest.raises(InternalError) as caught:
        call("fault")
    assert caught.value.code == "internal.child"
    assert "RuntimeError" in str(caught.value)
    assert "cell" not in str(caught.value)


def test_a_full_disk_comes_back_as_such(call: Any) -> None:
    with pytest.raises(TransientError) as caught:
        call("fill")
    assert caught.value.code == "machine.disk_full"
    assert "cell" not in str(caught.value)


def test_memory_is_limited(call: Any) -> None:
    assert call("allocate", megabytes=64, memory_bytes=512 << 20) == 64 << 20
    with pytest.raises(OutOfMemory) as caught:
        call("allocate", megabytes=1024, memory_bytes=512 << 20)
    assert caught.value.code == "source.parser_memory"
    assert f"{512 << 20:,}" in caught.value.message


@pytest.mark.parametrize("name", ["crash", "leave"])
def test_a_crash_is_an_error_with_numbers(call: Any, name: str) -> None:
    with pytest.raises(SourceError) as caught:
        call(name)
    assert caught.value.code == "source.parser_died"


def test_one_killed_from_outside_may_be_called_again(call: Any) -> None:
    with pytest.raises(TransientError) as caught:
        call("be_killed")
    assert caught.value.code == "source.parser_killed"


@pytest.mark.parametrize("name", ["sleep", "spin"])
def test_time_is_limited(call: Any, name: str) -> None:
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        call(name, timeout_s=1, **({"seconds": 60} if name == "sleep" else {}))
    assert caught.value.code == "source.parser_timeout"
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("name", ["connect", "fetch", "spawn"])
def test_no_socket_and_no_process_can_be_opened(call: Any, name: str) -> None:
    with pytest.raises(InternalError) as caught:
        call(name)
    assert "PermissionError" in caught.value.message or "URLError" in caught.value.message


def test_heavy_packages_are_not_imported(call: Any) -> None:
    loaded = set(call("modules"))
    assert not loaded & {"torch", "pandas", "polars", "pyarrow", "numpy", "pydantic"}


def test_core_files_threads_and_folder_are_set(call: Any, tmp_path: Path) -> None:
    core, threads, folder = call("limits")
    assert (core, threads) == (0, "1")
    assert Path(folder).resolve() == tmp_path.resolve()


def test_modules_of_the_working_folder_are_not_imported(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    answer = run_limited(
        "kinsynth.connectors.headers.name_key",
        {"name": "A"},
        memory_bytes=1 << 30,
        timeout_s=20,
        folder=tmp_path,
    )
    assert answer == "a"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "childtest.py").write_text(FUNCTIONS)
    mark = tmp_path / "pid"
    program = (
        "import pathlib; from kinsynth.system.child import run_limited; "
        f"run_limited('childtest.sleep', {json.dumps({'seconds': 60, 'mark': str(mark)})}, "
        f"memory_bytes=1 << 30, timeout_s=60, folder=pathlib.Path({str(tmp_path)!r}))"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as parent:
        try:
            child = _wait_for_pid(mark)
        finally:
            parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.05)


def _wait_for_pid(mark: Path) -> int:
    deadline = time.monotonic() + 20
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < deadline, "the child did not start"
        time.sleep(0.05)
    return int(mark.read_text())


def test_a_child_that_waits_has_imported_what_it_was_told(call: Any, tmp_path: Path) -> None:
    child = LimitedChild(["childtest", "decimal"])
    limits = {"memory_bytes": 1 << 30, "timeout_s": 20, "folder": tmp_path}
    assert child.is_alive()
    assert {"childtest", "decimal"} <= {*child.call("childtest.modules", {}, **limits)}
    assert not child.is_alive()


def test_a_child_that_nobody_calls_ends_when_it_is_closed(call: Any) -> None:
    child = LimitedChild()
    child.close()
    assert not child.is_alive()


def test_a_limited_call_inside_a_child_stays_in_it(call: Any, tmp_path: Path) -> None:
    assert call("nest", folder=str(tmp_path)) is True


def test_findings_of_an_error_come_back(call: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        call("find")
    assert [finding.code for finding in caught.value.findings] == ["b.code"]


@pytest.fixture
def talk(call: Any, tmp_path: Path) -> Iterator[Conversation]:
    """A conversation with a child."""
    found = Conversation(LimitedChild(["childtest"]), memory_bytes=1 << 29, processor_s=2, folder=tmp_path)
    yield found
    found.close()


def test_a_conversation_is_with_one_child_under_its_limits(talk: Conversation, tmp_path: Path) -> None:
    assert talk.ask("childtest.remember", {"word": "a"}, patience_s=20) == "a"
    assert talk.ask("childtest.remember", {"word": "ü\n"}, patience_s=20) == "aü\n"
    assert talk.ask("childtest.limits", {}, patience_s=20)[0] == 0
    with pytest.raises(SettingsError):
        talk.ask("childtest.refuse", {}, patience_s=20)
    with pytest.raises(OutOfMemory):
        talk.ask("childtest.allocate", {"megabytes": 1024}, patience_s=20)
    with pytest.raises(InternalError, match="PermissionError"):
        talk.ask("childtest.connect", {}, patience_s=20)


@pytest.mark.parametrize(
    ("name", "arguments", "patience_s"),
    [("crash", {}, 20), ("leave", {}, 20), ("sleep", {"seconds": 60}, 0.3), ("spin", {}, 0.3)],
)
def test_a_conversation_with_a_child_that_is_dead_or_late_is_over(
    talk: Conversation, name: str, arguments: dict[str, Any], patience_s: float
) -> None:
    begun = time.monotonic()
    assert talk.ask("childtest.own", {}, patience_s=20) != os.getpid()
    with pytest.raises(SourceError, match="parser_died"):
        talk.ask(f"childtest.{name}", arguments, patience_s=patience_s)
    assert time.monotonic() - begun < 15
    talk.close()
    with pytest.raises((SourceError, ValueError)):
        talk.ask("childtest.own", {}, patience_s=1)


def test_processor_time_of_a_conversation_is_limited(talk: Conversation) -> None:
    begun = time.monotonic()
    with pytest.raises(SourceError, match="parser_timeout"):  # by the kernel
        talk.ask("childtest.spin", {}, patience_s=60)
    assert time.monotonic() - begun < 50


def test_an_endless_answer_is_cut(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinsynth.system.child._MOST_BYTES", 1 << 16)
    with pytest.raises(SourceError, match="parser_died"):
        talk.ask("childtest.echo", {"text": "x" * (1 << 15), "more": "ü" * (1 << 14)}, patience_s=20)
