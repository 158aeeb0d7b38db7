"""Mirror: the folder of an execution, in scratch, and its files in the artefact store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from kinsynth.errors import InternalError
from kinsynth.storage.artefacts import Artefacts, Check, Label, Stored
from kinsynth.system.files import read_json

WORK, MODEL, DRAWN, SYNTHETIC, CHECKPOINTS = (
    "work",
    "model",
    "work/synthetic",
    "synthetic",
    "work/checkpoints",
)
GIVEN = "work/given"  # rows given to a drawing, where ``program`` looks for them
_STATE = (CHECKPOINTS, MODEL)  # what a training leaves on its way
_Stamp = tuple[int, int, int]


def label_of(path: str) -> Label:
    """Say how sensitive a file of an execution is.

    >>> [label_of(path) for path in ("work/original/0.arrow", "work/synthetic/0.arrow", "model/codecs.json")]
    ['original', 'protected', 'derived']
    """
    parts = PurePosixPath(path).parts
    if parts[0] == WORK:
        return "protected" if parts[:2] == (WORK, "synthetic") else "original"
    return "derived" if parts[0] == MODEL else "protected"


def fetch(artefacts: Artefacts, stored: Mapping[str, Stored], folder: Path, *, check: Check) -> None:
    """Write files of the store into a folder.

    Args:
        artefacts: The store.
        stored: The files by path.
        folder: Where they go.
        check: Called with each chunk; what it raises ends this.

    Raises:
        InternalError: ``artefact.path``, a path leads out of the folder.
    """
    for path, one in stored.items():
        artefacts.fetch(one, _inside(folder, path), check=check)


class Mirror:
    """What of an execution's folder is in the store.

    Args:
        artefacts: The store.
        folder: Folder of the execution.
        check: Called with each chunk that is copied; what it raises ends the copying.
    """

    def __init__(self, artefacts: Artefacts, folder: Path, check: Check) -> None:
        self._artefacts, self.folder, self._check = artefacts, folder, check
        self._kept: dict[str, tuple[_Stamp, Stored]] = {}
        self._noted: dict[str, _Stamp] = {}

    def fill(self, stored: Mapping[str, Stored], *, check: Check) -> None:
        """Write what the store has of the execution into the folder."""
        fetch(self._artefacts, stored, self.folder, check=check)
        for path, one in stored.items():
            self._kept[path] = (_stamp(self.folder / path), one)
        self.note(stored)

    def put_step(self, step: str) -> dict[str, Stored]:
        """Keep the outputs of a finished step and its outcome; gives them by path."""
        outcome = f"steps/{step}.json"
        outputs: dict[str, str] = read_json(self.folder / outcome)["outputs"]
        found = {path: self._put(path, digest) for path, digest in outputs.items()}
        return {**found, outcome: self._put(outcome)}

    def put(self, path: str) -> dict[str, Stored]:
        """Keep one file; gives it by path."""
        return {path: self._put(path)}

    def put_state(self) -> dict[str, Stored]:
        """Keep what a training on its way has written since it was last noted; gives it by path."""
        return {path: self._put(path) for path in self._state_files() if self._is_new(path)}

    def note(self, stored: Mapping[str, Stored]) -> None:
        """Take down that files, as they were put, are recorded."""
        self._noted |= {path: self._kept[path][0] for path in stored}

    def _put(self, path: str, digest: str | None = None) -> Stored:
        """Keep a file; one that is kept already is not read again, but announced again."""
        stamp = _stamp(self.folder / path)
        known = self._kept.get(path)
        digest = known[1].digest if known and known[0] == stamp else digest
        stored = self._artefacts.put_file(
            self.folder / path, label_of(path), digest=digest, check=self._check
        )
        self._kept[path] = (stamp, stored)
        return stored

    def _is_new(self, path: str) -> bool:
        return self._noted.get(path) != _stamp(self.folder / path)

    def _state_files(self) -> Iterator[str]:
        for name in _STATE:
            for path in sorted((self.folder / name).rglob("*")):
                if path.suffix != ".tmp" and path.is_file():
                    yield path.relative_to(self.folder).as_posix()


def _stamp(path: Path) -> _Stamp:
    said = path.stat()
    return said.st_ino, said.st_mtime_ns, said.st_size


def _inside(folder: Path, path: str) -> Path:
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
        raise InternalError(
            "artefact.path",
            "The path of a file leads out of its folder.",
            remedy="Report this; nothing was written.",
        )
    return folder.joinpath(*parts)
