"""A function in a child process with limits: memory, time, no network, no life after its parent.

``LimitedChild``, ``Conversation`` and ``run_limited`` are for the parent; the rest of the file runs in the
child, which is started as ``python -m kinsynth.system.child PARENT MODULE...``. It reads JSON, a line each:
first its limits, then calls; it writes a line for each call.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import kinsynth.errors
from kinsynth.errors import (
    Finding,
    InternalError,
    KinsynthError,
    OutOfMemory,
    SourceError,
    TransientError,
)
from kinsynth.system.failures import explain

_SECONDS_TO_END = 5
_MOST_BYTES = 1 << 26  # of an answer in a conversation
_SETTINGS, _FOR_CHILDREN = "KINSYNTH_", "KINSYNTH_CRASH_"
_PR_SET_PDEATHSIG = 1
_RUST_PANIC = "PanicException"  # not an Exception: a parser written in Rust met what it did not foresee
_is_limited = False  # whether this process is such a child


class LimitedChild:
    """A started child process that waits for its one call, or for a conversation.

    Args:
        modules: What it imports before it is called, so that the call need not wait for it.

    Attributes:
        process: The process, with pipes.

    Guarantees:
        It cannot open a socket from Python, and gets no setting of an installation. On Linux it dies when the
        thread ends that started it.
    """

    def __init__(self, modules: Iterable[str] = ()) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kinsynth.system.child", str(os.getpid()), *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )

    def call(
        self,
        function_path: str,
        arguments: Mapping[str, Any],
        *,
        memory_bytes: int,
        timeout_s: int,
        folder: Path,
    ) -> Any:
        """Call a function, once, and end; arguments, answer and errors as of ``run_limited``."""
        words = _write_limits(memory_bytes, timeout_s, folder) + _write_call(function_path, arguments)
        try:
            output, _ = self.process.communicate(words, timeout=timeout_s)
        except subprocess.TimeoutExpired as late:
            raise _too_slow(timeout_s) from late
        finally:
            self.close()
        return _answer(output, self.process.returncode, memory_bytes=memory_bytes, timeout_s=timeout_s)

    def is_alive(self) -> bool:
        """Tell whether it still waits."""
        return self.process.poll() is None

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        with suppress(BrokenPipeError):  # there were words that it did not take
            self.process.__exit__(None, None, None)


class Conversation:
    """Several calls of one limited child.

    Args:
        child: A child that nobody called; it ends with ``close``.
        memory_bytes: Its address space.
        processor_s: Its processor time, of all calls together.
        folder: Its working folder.
    """

    def __init__(self, child: LimitedChild, *, memory_bytes: int, processor_s: int, folder: Path) -> None:
        self._child, self._process = child, child.process
        self._memory_bytes, self._processor_s = memory_bytes, processor_s
        self._words = _write_limits(memory_bytes, processor_s, folder)  # they go with the first call

    def ask(self, function_path: str, arguments: Mapping[str, Any], *, patience_s: float) -> Any:
        """Call a function and give its answer, as ``run_limited`` does.

        Args:
            function_path: As of ``run_limited``.
            arguments: As of ``run_limited``; they must fit into a pipe.
            patience_s: Wall-clock limit of this call.

        Raises:
            KinsynthError: As of ``run_limited``. Close it then: what it may still write is no answer to the
                next call.
        """
        words = self._words + _write_call(function_path, arguments)
        self._words = b""
        self._write(words)
        answer = self._read(time.monotonic() + patience_s)
        if not answer:
            with suppress(subprocess.TimeoutExpired):  # it is silent, and does not end
                self._process.wait(_SECONDS_TO_END)
        return _answer(
            answer, self._process.returncode, memory_bytes=self._memory_bytes, timeout_s=self._processor_s
        )

    def close(self) -> None:
        """End the child, whatever it does."""
        self._child.close()

    def _write(self, words: bytes) -> None:
        assert self._process.stdin is not None, "it was started with a pipe"
        try:
            self._process.stdin.write(words)
            self._process.stdin.flush()
        except BrokenPipeError as broken:
            raise _dead("it does not listen", self._memory_bytes, self._processor_s) from broken

    def _read(self, until: float) -> bytes:
        """Read a line; nothing, or a part of one, from a child that died."""
        assert self._process.stdout is not None, "it was started with a pipe"
        pipe, read = self._process.stdout.fileno(), bytearray()
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while not read.endswith(b"\n"):
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000) or len(read) > _MOST_BYTES:
                raise _dead("it gave no answer in time", self._memory_bytes, self._processor_s)
            if not (part := os.read(pipe, 1 << 16)):
                break
            read += part
        return bytes(read)


def run_limited(
    function_path: str,
    arguments: Mapping[str, Any],
    *,
    memory_bytes: int,
    timeout_s: int,
    folder: Path,
) -> Any:
    """Call a function of kinsynth in a child process and give its answer.

    In such a child it is called there: the limits of the child hold already.

    Args:
        function_path: ``kinsynth.package.module.function``.
        arguments: Keyword arguments, as JSON can hold them.
        memory_bytes: Address space of the child.
        timeout_s: Wall-clock limit of the child.
        folder: Working folder of the child.

    Returns:
        What the function returned, as JSON holds it.

    Raises:
        KinsynthError: The function raised it; or the child died (``source.parser_died``), needed
            more memory (``source.parser_memory``) or more time (``source.parser_timeout``).
        TransientError: ``source.parser_killed``, by none of its limits: it may be called again.

    Guarantees:
        The child is dead when this returns or raises. It cannot open a socket from Python. On Linux
        it dies when the parent dies.
    """
    if _is_limited:
        return json.loads(json.dumps(_find(function_path)(**arguments)))
    child = LimitedChild()
    return child.call(function_path, arguments, memory_bytes=memory_bytes, timeout_s=timeout_s, folder=folder)


def describe(error: KinsynthError) -> dict[str, Any]:
    """Put an error into JSON, with its findings, to be revived on the other side."""
    return {
        "class": type(error).__name__,
        "code": error.code,
        "message": error.message,
        "where": error.where,
        "remedy": error.remedy,
        "findings": [asdict(finding) for finding in error.findings],
    }


def revive(document: Mapping[str, Any]) -> KinsynthError:
    """Make the error again that ``describe`` put into JSON."""
    kind: type[KinsynthError] = getattr(kinsynth.errors, document["class"])
    return kind(
        document["code"],
        document["message"],
        where=document["where"],
        remedy=document["remedy"],
        findings=[Finding(**finding) for finding in document["findings"]],
    )


def plain_environment() -> dict[str, str]:
    """Give our environment without the settings of an installation: they hold passwords."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_SETTINGS) or name.startswith(_FOR_CHILDREN)
    }


def _environment() -> dict[str, str]:
    """Give the child one thread and an allocator that does not reserve address space it will not use."""
    return {**plain_environment(), "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}


def _too_slow(timeout_s: int) -> SourceError:
    return SourceError(
        "source.parser_timeout",
        f"Reading took more than {timeout_s} seconds and was stopped.",
        remedy="Raise source.parse_timeout_s, or split the file.",
    )


def _too_large(memory_bytes: int) -> OutOfMemory:
    return OutOfMemory(
        "source.parser_memory",
        f"Reading needs more than the {memory_bytes:,} bytes of memory it may use.",
        remedy="Raise source.parse_memory_bytes, or split the file.",
    )


def _dead(how: str, memory_bytes: int, timeout_s: int) -> SourceError:
    return SourceError(
        "source.parser_died",
        f"The process that reads the file died ({how}) within its limits of {memory_bytes:,} bytes and "
        f"{timeout_s} seconds.",
        remedy="The file is damaged or hostile, or needs a higher source.parse_memory_bytes.",
    )


def _killed() -> TransientError:
    return TransientError(
        "source.parser_killed",
        "The process that reads the file was killed from outside.",
        remedy="Try again. Where it happens again, the machine has too little memory.",
    )


def _answer(output: bytes, returncode: int, *, memory_bytes: int, timeout_s: int) -> Any:
    """Turn what the child wrote, or how it died, into a value or an error."""
    if not output:
        if returncode == -signal.SIGXCPU:
            raise _too_slow(timeout_s)
        if returncode == -signal.SIGKILL:
            raise _killed()
        raise _dead(f"exit status {returncode}", memory_bytes, timeout_s)
    try:
        answer = json.loads(output)
    except ValueError as cut:
        raise _dead("in the middle of its answer", memory_bytes, timeout_s) from cut
    if answer["outcome"] == "memory":
        raise _too_large(memory_bytes)
    if answer["outcome"] == "fault" and answer["type"] == _RUST_PANIC:
        raise _dead("its parser gave up", memory_bytes, timeout_s)
    if answer["outcome"] == "fault":
        raise InternalError(
            "internal.child", f"{answer['type']} at {answer['at']}.", remedy="Report this: it is our fault."
        )
    if answer["outcome"] == "error":
        raise revive(answer["error"])
    return answer["value"]


def _write_limits(memory_bytes: int, timeout_s: int, folder: Path) -> bytes:
    return _line({"memory_bytes": memory_bytes, "timeout_s": timeout_s, "folder": str(folder)})


def _write_call(function_path: str, arguments: Mapping[str, Any]) -> bytes:
    return _line({"function": function_path, "arguments": dict(arguments)})


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit(memory_bytes: int, timeout_s: int) -> None:
    """Set the limits that the kernel keeps."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    processor_s = timeout_s + _SECONDS_TO_END  # the kernel says SIGXCPU at the first, SIGKILL at the second
    resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s + _SECONDS_TO_END))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _refuse_network(event: str, _arguments: tuple[Any, ...]) -> None:
    """Audit hook: no sockets and no further processes."""
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")):
        raise PermissionError(f"{event} is not allowed here")


def _find(function_path: str) -> Callable[..., Any]:
    module, _, name = function_path.rpartition(".")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _call(function_path: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the function and put its outcome into words."""
    try:
        return {"outcome": "value", "value": _find(function_path)(**arguments)}
    except KinsynthError as refusal:
        return {"outcome": "error", "error": describe(refusal)}
    except MemoryError:
        return {"outcome": "memory"}
    except OSError as failure:
        if (error := explain(failure)) is None:
            raise
        return {"outcome": "error", "error": describe(error)}


def _report_fault(channel: TextIO) -> None:
    """Let an unforeseen exception end as its type and place: its text could hold a cell."""

    def hook(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
        place = traceback.extract_tb(trace)[-1]
        at = f"{Path(place.filename).name}:{place.lineno}"
        _say(channel, {"outcome": "fault", "type": kind.__name__, "at": at})

    sys.excepthook = hook


def _say(channel: TextIO, outcome: Mapping[str, Any]) -> None:
    channel.write(json.dumps(outcome) + "\n")  # in one piece: json.dump has no quick encoder
    channel.flush()


def main() -> None:
    """Serve: read limits and calls from standard input, write answers to standard output."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _report_fault(channel)
    die_with_parent(int(sys.argv[1]))
    for module in sys.argv[2:]:
        importlib.import_module(module)
    words = sys.stdin.readline()
    if not words:  # nobody called
        return
    limits = json.loads(words)
    os.chdir(limits["folder"])
    _limit(limits["memory_bytes"], limits["timeout_s"])
    sys.addaudithook(_refuse_network)
    importlib.import_module("kinsynth.system.child").__dict__["_is_limited"] = True  # here we are __main__
    while words := sys.stdin.readline():
        request = json.loads(words)
        _say(channel, _call(request["function"], request["arguments"]))


if __name__ == "__main__":
    main()
