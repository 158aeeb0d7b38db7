"""Client: an installation's REST API as methods. Waits for answers; what is lost on the way is sent again."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from kinsynth.errors import (
    AccessError,
    ConflictError,
    Finding,
    InternalError,
    KinsynthError,
    SourceError,
    TransientError,
    UserError,
)

Object = dict[str, Any]
ENDED = ("succeeded", "failed", "cancelled")
_API = "/api/v1"
_TRIES = 6  # 12 s: the address may be wrong
_TRIES_ONCE_SEEN = 11  # a minute: it is being started again
_LOOK_S = 1.0
_CHUNK = 1 << 20
_KINDS: Mapping[int, type[KinsynthError]] = {
    401: AccessError,
    403: AccessError,
    404: AccessError,
    409: ConflictError,
    429: TransientError,
    503: TransientError,
}


class Client:
    """An installation of kinsynth, as one person sees it.

    Args:
        url: Address of the installation, such as ``https://synth.example.org``.
        token: An API token.
        timeout_s: How long an answer is waited for.
        transport: Another way to the installation, for tests.

    Raises:
        KinsynthError: Every method raises what the installation answers, with its code;
            ``server.unreachable`` when it does not answer.

    Guarantees:
        A request that was lost is sent again, with the same key where it makes something: nothing is made
        twice. Where the answer was lost and the repetition is told that it is done already, the wish is met
        and nothing is raised: what is to be deleted is gone, what is to go on is not paused. The installation
        itself answers as before when the same is sealed, cancelled, renamed or written again. An installation
        that has answered before is waited for, about a minute of pauses in all.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 1_000.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url + _API,
            headers={"Authorization": f"Bearer {token}", "User-Agent": "kinsynth"},
            timeout=httpx.Timeout(timeout_s, connect=10.0),
            transport=transport,
            event_hooks={"response": [self._notice]},
        )
        self._tries = _TRIES

    def _notice(self, answer: httpx.Response) -> None:
        if answer.status_code < 500:  # others may be of what stands before it
            self._tries = _TRIES_ONCE_SEEN

    def __enter__(self) -> Client:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    # Sources

    def create_source(self, name: str) -> Object:
        """Make a source without files."""
        return self._make("/sources", {"name": name})

    def sources(self, *, name: str = "") -> Iterator[Object]:
        """Give one's own sources, the newest first."""
        return self._pages("/sources", name=name)

    def open_version(self, source_id: str, *, copy_files: bool = False) -> Object:
        """Open a new version of a source."""
        return self._make(f"/sources/{source_id}/versions", {"copy_files": copy_files})

    def versions(self, source_id: str) -> Iterator[Object]:
        """Give the versions of a source, the newest first."""
        return self._pages(f"/sources/{source_id}/versions")

    def upload(self, source_id: str, number: int, path: Path, *, name: str = "") -> Object:
        """Put a file into an open version; a large one takes little memory."""

        def send() -> httpx.Response:
            with path.open("rb") as handle:
                size = str(path.stat().st_size)
                return self._http.put(
                    _path("sources", source_id, "versions", number, "files", name or path.name),
                    content=iter(lambda: handle.read(_CHUNK), b""),
                    headers={"Content-Length": size},
                )

        return _object(_persist(send, self._tries))

    def remove_file(self, source_id: str, number: int, name: str) -> None:
        """Take a file out of an open version."""
        self._delete(_path("sources", source_id, "versions", number, "files", name))

    def seal(self, source_id: str, number: int) -> Object:
        """Fix a version for ever."""
        return self._do("POST", f"/sources/{source_id}/versions/{number}/seal")

    def preview_source(
        self, source_id: str, number: int, table: str, *, offset: int = 0, limit: int = 50
    ) -> Object:
        """Give some rows of a table of a sealed version."""
        window = {"table": table, "offset": offset, "limit": limit}
        return self._do("GET", f"/sources/{source_id}/versions/{number}/preview", params=window)

    def detect(self, source_id: str, number: int, document: Object | None = None) -> Object:
        """Find tables, types, keys, relations and rules; ``document`` in the answer says them outright."""
        body = {"document": document or {}}
        return self._do("POST", f"/sources/{source_id}/versions/{number}/detection", json=body)

    def delete_source(self, source_id: str) -> None:
        """Delete a source with all its files."""
        self._delete(f"/sources/{source_id}")

    def put_source(self, name: str, paths: Sequence[Path]) -> tuple[str, int]:
        """Have a sealed version with exactly these files in the source of this name.

        Args:
            name: Name of the source.
            paths: Files; their names must differ.

        Returns:
            Id of the source and number of the version.

        Raises:
            SourceError: ``source.table_name``, two files have the same name.
        """
        files = _by_name(paths)
        source = next(self.sources(name=name), None) or self.create_source(name)
        digests = {file: _digest(path) for file, path in files.items()}
        versions = list(self.versions(source["id"]))
        for version in versions:
            known = {one["name"]: one["sha256"] for one in version["files"]}
            if version["sealed"] and known == digests:
                return source["id"], version["number"]
        if not versions or versions[0]["sealed"]:
            versions = [self.open_version(source["id"])]
        return source["id"], self._fill(source["id"], versions[0], files, digests)

    def _fill(
        self, source_id: str, version: Object, files: Mapping[str, Path], digests: Mapping[str, str]
    ) -> int:
        """Bring an open version to hold exactly these files, and seal it; ``digests`` tell which it has."""
        number: int = version["number"]
        known = {one["name"]: one["sha256"] for one in version["files"]}
        for name in known.keys() - files.keys():
            self.remove_file(source_id, number, name)
        for name, path in files.items():
            if name not in known or known[name] != digests[name]:
                self.upload(source_id, number, path)
        self.seal(source_id, number)
        return number

    # Syntheses

    def create_synthesis(self, source_id: str, name: str, document: Object | None = None) -> Object:
        """Make a synthesis; without a document, of what is detected."""
        return self._make("/syntheses", {"source_id": source_id, "name": name, "document": document})

    def import_synthesis(self, source_id: str, text: str, *, name: str = "") -> Object:
        """Make a synthesis of a document in YAML."""
        return self._make("/syntheses/import", {"source_id": source_id, "text": text, "name": name})

    def syntheses(self, *, name: str = "") -> Iterator[Object]:
        """Give the syntheses one owns or has a share of, the newest first."""
        return self._pages("/syntheses", name=name)

    def synthesis(self, synthesis_id: str) -> Object:
        """Give a synthesis with its document."""
        return self._do("GET", f"/syntheses/{synthesis_id}")

    def update_synthesis(
        self, synthesis_id: str, document: Object, *, version: int, source_id: str | None = None
    ) -> Object:
        """Write a new version of a document; ``version`` is the one that was changed."""
        body = {"document": document, "version": version, "source_id": source_id}
        return self._do("PUT", f"/syntheses/{synthesis_id}", json=body)

    def clone(self, synthesis_id: str, *, name: str = "") -> Object:
        """Copy a synthesis."""
        return self._make(f"/syntheses/{synthesis_id}/clone", {"name": name})

    def export(self, synthesis_id: str) -> str:
        """Give the document as YAML."""
        return self._send("GET", f"/syntheses/{synthesis_id}/export").text

    def check(self, synthesis_id: str, *, source_version: int | None = None) -> Object:
        """Check a document against its source: ``findings``, ``assessment`` and ``rows``."""
        body = {"source_version": source_version}
        return self._do("POST", f"/syntheses/{synthesis_id}/checks", json=body)

    def assess(self, synthesis_id: str, *, source_version: int | None = None) -> Object:
        """Say what a run will cost."""
        body = {"source_version": source_version}
        return self._do("POST", f"/syntheses/{synthesis_id}/assessment", json=body)

    def delete_synthesis(self, synthesis_id: str) -> None:
        """Delete a synthesis with all that was made from it."""
        self._delete(f"/syntheses/{synthesis_id}")

    # Executions

    def run(
        self,
        synthesis_id: str,
        *,
        name: str = "",
        rows: Mapping[str, int] | None = None,
        seed: int | None = None,
        source_version: int | None = None,
    ) -> Object:
        """Start a run."""
        body = {"name": name, "rows": dict(rows or {}), "seed": seed, "source_version": source_version}
        return self._make(f"/syntheses/{synthesis_id}/executions", body)

    def generate(
        self,
        synthesis_id: str,
        model_id: str,
        *,
        name: str = "",
        rows: Mapping[str, int] | None = None,
        seed: int | None = None,
        conditions: Object | None = None,
        given: Sequence[tuple[str, Path]] = (),
        fill: Object | None = None,
    ) -> Object:
        """Generate more from a stored model, or fill the empty cells of given rows.

        Args:
            synthesis_id: The synthesis.
            model_id: A model of it.
            name: Name of the execution.
            rows: Rows of root tables.
            seed: Seed; None for that of the model.
            conditions: What the rows must keep to: ``fixed``, ``shares``, ``never``, ``no_missing``,
                ``empty_is_missing`` and ``temperature``, as the OpenAPI document says.
            given: Root table and file with known rows of it; an empty text where the file's name says the
                table. The files are uploaded into a source that is deleted as soon as the rows are taken.
            fill: ``method`` and ``allow_missing``: the result is the given rows of one table, filled.
        """
        body = {
            "kind": "generate",
            "model_id": model_id,
            "name": name,
            "rows": dict(rows or {}),
            "seed": seed,
            "conditions": conditions or {},
            "fill": fill,
        }
        with self._lent(given) as lent:
            return self._make(f"/syntheses/{synthesis_id}/executions", body | lent)

    @contextmanager
    def _lent(self, given: Sequence[tuple[str, Path]]) -> Iterator[Object]:
        """Have known rows in a source while the block runs; gives what a drawing says of them."""
        if not given:
            yield {}
            return
        files = _by_name([path for _, path in given])
        source_id = self.create_source("Given rows")["id"]
        try:
            number = self._fill(source_id, self.open_version(source_id), files, {})
            tables = {path.name: table for table, path in given if table}
            yield {"given": {"source_id": source_id, "source_version": number, "tables": tables}}
        finally:
            self.delete_source(source_id)

    def executions(self, *, status: str | None = None) -> Iterator[Object]:
        """Give the executions of all syntheses one sees, the newest first."""
        return self._pages("/executions", status=status)

    def execution(self, execution_id: str) -> Object:
        """Give an execution."""
        return self._do("GET", f"/executions/{execution_id}")

    def cancel(self, execution_id: str) -> Object:
        """Cancel an execution."""
        return self._do("POST", f"/executions/{execution_id}/cancel")

    def resume(self, execution_id: str) -> Object:
        """Let a paused execution go on."""
        answer = self._send("POST", f"/executions/{execution_id}/resume", done="execution.not_paused")
        return self.execution(execution_id) if answer.is_error else _object(answer)

    def retry(
        self, execution_id: str, *, name: str = "", first_step: str = "loading", seed: int | None = None
    ) -> Object:
        """Do an execution that ended again, from one of its steps on."""
        body = {"name": name, "first_step": first_step, "seed": seed}
        return self._make(f"/executions/{execution_id}/retry", body)

    def delete_execution(self, execution_id: str) -> None:
        """Delete an execution with its results."""
        self._delete(f"/executions/{execution_id}")

    def timeline(self, execution_id: str) -> Object:
        """Give the steps as they stand."""
        return self._do("GET", f"/executions/{execution_id}/timeline")

    def follow(self, execution_id: str, *, after: int = 0) -> Iterator[Object]:
        """Give the events as they come, each once, until the execution ends or pauses.

        A connection that breaks is made again, and goes on where it broke.
        """
        failures = 0
        while True:
            try:
                for number, body in self._stream(execution_id, after):
                    if body is None:
                        return
                    after, failures = number, 0
                    yield body
                    if body["kind"] == "execution_paused" and self._rests(execution_id, number):
                        return
            except (httpx.TransportError, TransientError):
                failures += 1
                if failures >= self._tries:
                    raise _unreachable(self.url) from None
                time.sleep(_pause(failures))

    def _rests(self, execution_id: str, number: int) -> bool:
        """Tell whether an execution is paused since an event; one that was may be at work again."""
        later = self._do("GET", f"/executions/{execution_id}/events", params={"after": number, "limit": 1})
        return not later["items"] and later["status"] == "paused"

    def _stream(self, execution_id: str, after: int) -> Iterator[tuple[int, Object | None]]:
        """Read one connection: numbers and events; None at the end of the execution."""
        headers = {"Last-Event-ID": str(after)}
        path = f"/executions/{execution_id}/stream"
        with self._http.stream("GET", path, headers=headers, timeout=60.0) as answer:
            if answer.is_error:
                answer.read()
                raise _error(answer)
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line and name:
                    fields[name] = value
                elif fields:
                    ended = fields.get("event") == "end"
                    yield int(fields.get("id", after)), None if ended else json.loads(fields["data"])
                    fields = {}

    def wait(self, execution_id: str) -> Object:
        """Wait until an execution ends or pauses, and give it."""
        for _ in self.follow(execution_id):
            pass
        return self.execution(execution_id)

    # Results

    def preview(self, execution_id: str, table: str, *, offset: int = 0, limit: int = 50) -> Object:
        """Give some rows of a synthetic table."""
        window = {"table": table, "offset": offset, "limit": limit}
        return self._do("GET", f"/executions/{execution_id}/preview", params=window)

    def files(self, execution_id: str) -> list[Object]:
        """List tables and reports."""
        found: list[Object] = self._ask("GET", f"/executions/{execution_id}/files")
        return found

    def fetch(self, execution_id: str, path: str, target: Path) -> None:
        """Write a table or a report into a file, whole or not at all."""
        self._fetch(_path("executions", execution_id, "files") + "/" + quote(path, safe="/"), target)

    def download(self, execution_id: str, file_format: str, folder: Path) -> Path:
        """Have the results made in a format and write them into a folder; several files come as a zip."""
        asked = self._do("POST", f"/executions/{execution_id}/downloads", json={"format": file_format})
        while asked["status"] == "preparing":
            time.sleep(_LOOK_S)
            asked = self._do("GET", f"/downloads/{asked['id']}")
        if asked["status"] == "failed":
            raise _revive(asked["error"], UserError)
        ticket = self._do("POST", f"/downloads/{asked['id']}/ticket")
        target = folder / Path(ticket["file_name"]).name
        self._fetch(ticket["path"].removeprefix(_API), target, is_once=True)
        return target

    def _fetch(self, path: str, target: Path, *, is_once: bool = False) -> None:
        temporary = target.with_name(f".{target.name}.part")
        target.parent.mkdir(parents=True, exist_ok=True)

        def receive() -> httpx.Response:
            with self._http.stream("GET", path) as answer, temporary.open("wb") as handle:
                if answer.is_error:
                    answer.read()
                    return answer
                for chunk in answer.iter_bytes(_CHUNK):
                    handle.write(chunk)
                return answer

        try:
            _persist(receive, 1 if is_once else self._tries)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    # Models

    def models(self, *, synthesis_id: str | None = None) -> Iterator[Object]:
        """Give stored models, the newest first."""
        return self._pages("/models", synthesis_id=synthesis_id)

    def delete_model(self, model_id: str) -> None:
        """Delete a model."""
        self._delete(f"/models/{model_id}")

    # Requests

    def _send(self, method: str, path: str, *, done: str = "", **options: Any) -> httpx.Response:
        return _persist(lambda: self._http.request(method, path, **options), self._tries, done)

    def _delete(self, path: str) -> None:
        self._send("DELETE", path, done="access.not_found")

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, **options)
        return answer.json() if answer.content else None

    def _do(self, method: str, path: str, **options: Any) -> Object:
        return _object(self._send(method, path, **options))

    def _make(self, path: str, body: Object) -> Object:
        return self._do("POST", path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})

    def _pages(self, path: str, **query: Any) -> Iterator[Object]:
        asked = {name: value for name, value in query.items() if value}
        while True:
            page = self._do("GET", path, params=asked)
            yield from page["items"]
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]


def failure_of(execution: Object) -> KinsynthError | None:
    """Give why an execution failed or paused; None when it did not."""
    error = execution["error"]
    return None if error is None else _revive(error, UserError)


def _persist(send: Callable[[], httpx.Response], tries: int, done: str = "") -> httpx.Response:
    """Send until there is an answer that is not only for the moment.

    Args:
        send: Sends the request once.
        tries: How often at most.
        done: Code of the refusal that says, after an answer was lost, that the request before did it: such an
            answer is given, not raised.
    """
    may_be_done = False
    for attempt in range(1, tries + 1):
        try:
            answer = send()
        except httpx.TransportError as error:
            if attempt == tries:
                raise _unreachable(str(error.request.url.copy_with(path="/", query=None))) from None
            may_be_done |= not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        else:
            if not answer.is_error or (may_be_done and _error(answer).code == done):
                return answer
            may_be_done |= answer.status_code == 503  # of a proxy, perhaps, that lost the answer
            most = min(tries, _TRIES) if answer.status_code == 429 else tries  # it is there, and says no
            if answer.status_code not in {429, 503} or attempt >= most:
                raise _error(answer)
        time.sleep(_pause(attempt))
    raise AssertionError("the last try returns or raises")


def _pause(attempt: int) -> float:
    return min(10.0, 0.2 * 2.0**attempt)


def _error(answer: httpx.Response) -> KinsynthError:
    kind = _KINDS.get(answer.status_code, InternalError if answer.status_code >= 500 else UserError)
    try:
        said = answer.json()
        return _revive(said, kind)
    except (ValueError, KeyError, TypeError):
        return kind(
            "server.answer",
            f"The server answered with status {answer.status_code} and not as kinsynth does.",
            where=str(answer.request.url.copy_with(path="/", query=None)),
            remedy="Check the address; a proxy may stand before the installation.",
        )


def _revive(said: Mapping[str, Any], kind: type[KinsynthError]) -> KinsynthError:
    return kind(
        said["code"],
        said["message"],
        where=said["where"],
        remedy=said["remedy"],
        findings=[Finding(**finding) for finding in said["findings"]],
    )


def _unreachable(url: str) -> TransientError:
    return TransientError(
        "server.unreachable",
        "The installation does not answer.",
        where=url,
        remedy="Check the address and whether kinsynth serve runs there.",
    )


def _object(answer: httpx.Response) -> Object:
    found: Object = answer.json()
    return found


def _by_name(paths: Sequence[Path]) -> dict[str, Path]:
    files = {path.name: path for path in paths}
    if len(files) != len(paths):
        raise SourceError(
            "source.table_name",
            "Two files have the same name.",
            where="source.paths",
            remedy="Rename one of them.",
        )
    return files


def _path(*parts: str | int) -> str:
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
