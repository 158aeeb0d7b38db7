"""A PostgreSQL server for tests: a cluster in a temporary folder, reached by a socket, no network."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_USERS = ("postgres", "nobody")  # initdb refuses root
_numbers = count(1)


def find_programs() -> Path | None:
    """Give the folder of Debian's newest PostgreSQL, None where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return folders[-1] if folders else None


class Cluster:
    """A running server.

    Args:
        programs: Folder of its programs.
        folder: Where its files and its socket are; short, for a socket's path has at most 107 bytes.
        user: The account it runs as, None for our own.
    """

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs, self.folder, self._user = programs, folder, user

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "-D", "data", "-l", "log", "-o", f"-k {self.folder} -h ''", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``fast``, or ``immediate`` as a crash would."""
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def make(self) -> None:
        """Make the files of a new server."""
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        settings = self.folder / "data" / "postgresql.conf"
        with settings.open("a", encoding="utf-8") as handle:
            handle.write("fsync = off\nmax_connections = 200\nshared_buffers = 32MB\n")

    def make_database(self) -> str:
        """Make an empty database and give its address."""
        name = f"kinsynth_{os.getpid()}_{next(_numbers)}"
        self._run("createdb", "-h", str(self.folder), "-U", "postgres", name)
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self.folder,
            user=self._user,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def running_cluster(programs: Path) -> Iterator[Cluster]:
    """Give a running server that is removed afterwards."""
    user = next((name for name in _USERS if _exists(name)), None) if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        cluster = Cluster(programs, folder, user)
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")
    finally:
        shutil.rmtree(folder)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
