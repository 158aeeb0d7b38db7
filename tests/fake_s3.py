"""A small S3-compatible server that checks signatures, and whose network fails when it is told to."""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from kinsynth.storage.signature import sign

ACCESS, SECRET, REGION, BUCKET = "account", "a/secret+of the account", "eu-test-1", "bucket"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


@dataclass
class Parts:
    """A multipart upload that is under way."""

    key: str
    began_at: float
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Faults:
    """What goes wrong, and how often; -1 for always.

    Attributes:
        methods: Requests that are meant, by method; empty for all.
        skip: Requests of these that go well first.
        times: How many fail after that.
        status: Answered instead of the real answer.
        code: The code in that answer.
        cut_body_at: Byte of a request's body at which the connection is cut.
        cut_answer_at: Byte of an answer's body at which the connection is cut.
        drop_answer: Whether the request is served and the answer is lost.
        delay_s: Time before the answer.
    """

    methods: frozenset[str] = frozenset()
    skip: int = 0
    times: int = 0
    status: int | None = None
    code: str = "SlowDown"
    cut_body_at: int | None = None
    cut_answer_at: int | None = None
    drop_answer: bool = False
    delay_s: float = 0.0


class FakeS3(ThreadingHTTPServer):
    """The server; ``objects`` is what is visible in its one bucket."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, Parts] = {}
        self.faults = Faults()
        self.page = 1000
        self.log: list[str] = []
        self.wrong: list[str] = []
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self, method: str) -> Faults:
        """Tell what goes wrong with a request."""
        with self.lock:
            faults = self.faults
            if not faults.times or (faults.methods and method not in faults.methods):
                return Faults()
            if faults.skip:
                faults.skip -= 1
                return Faults()
            faults.times -= 1
            return faults

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that cut a connection are part of the tests."""


class _Cut(Exception):
    """The connection is to be cut."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeS3

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        faults = self.server.fault(self.command)
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.server.log.append(f"{self.command} {unquote(parts.path)} {sorted(query)}")
        try:
            body = self._read_body(faults)
            time.sleep(faults.delay_s)
            if faults.status is not None:
                self._refuse(faults.status, faults.code)
                return
            with self.server.lock:
                status, headers, content = self._answer(parts.path, query, body)
            self._send(status, headers, content, cut_at=-1 if faults.drop_answer else faults.cut_answer_at)
        except _Cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def _read_body(self, faults: Faults) -> bytes:
        size = int(self.headers.get("Content-Length", "0"))
        if faults.cut_body_at is not None and size > faults.cut_body_at:
            self.rfile.read(faults.cut_body_at)
            raise _Cut
        body = self.rfile.read(size)
        if len(body) < size:
            raise _Cut
        return body

    def _answer(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if (refusal := self._check_signature(path, query, body)) is not None:
            return _error(403, refusal)
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        if bucket != BUCKET:
            return _error(404, "NoSuchBucket")
        name = self.command.lower()
        if not key:
            return self._list_uploads(query) if "uploads" in query else self._list(query)
        if "uploads" in query or "uploadId" in query:
            return getattr(self, f"_{name}_parts")(key, query, body)  # type: ignore[no-any-return]
        return getattr(self, f"_{name}")(key, body)  # type: ignore[no-any-return]

    def _check_signature(self, path: str, query: dict[str, str], body: bytes) -> str | None:
        found = _AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))
        if found is None:
            return "AccessDenied"
        account, _, region, names, signature = found.groups()
        if account != ACCESS:
            return "InvalidAccessKeyId"
        digest = self.headers["x-amz-content-sha256"]
        headers = {name: self.headers[name] for name in names.split(";")}
        ours = sign(
            SECRET,
            region,
            method=self.command,
            path=path,
            query=query.items(),
            headers=headers,
            body_digest=digest,
        )
        if region != REGION or digest != hashlib.sha256(body).hexdigest() or ours != signature:
            return "SignatureDoesNotMatch"
        return None

    # Objects

    def _put(self, key: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        self.server.objects[key] = body
        return 200, {"ETag": _etag(body)}, b""

    def _get(self, key: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        if key not in self.server.objects:
            return _error(404, "NoSuchKey")
        content = self.server.objects[key]
        if self.headers.get("If-Match", _etag(content)) != _etag(content):
            return _error(412, "PreconditionFailed")
        headers = {"ETag": _etag(content), "Last-Modified": _http_date(time.time())}
        if (wanted := self.headers.get("Range")) is None:
            return 200, headers, content
        start, end = (int(part) for part in wanted.removeprefix("bytes=").split("-"))
        if start >= len(content):
            return _error(416, "InvalidRange")
        part = content[start : end + 1]
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
        return 206, headers, part

    _head = _get

    def _delete(self, key: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        self.server.objects.pop(key, None)
        return 204, {}, b""

    def _list(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
        keys = sorted(key for key in self.server.objects if key.startswith(prefix) and key > after)
        page = keys[: self.server.page]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_iso(time.time())}</LastModified>"
            f"<ETag>{escape(_etag(self.server.objects[key]))}</ETag>"
            f"<Size>{len(self.server.objects[key])}</Size></Contents>"
            for key in page
        )
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if page != keys else ""
        text = (
            f"<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>{str(page != keys).lower()}</IsTruncated>"
            f"{more}{entries}</ListBucketResult>"
        )
        return 200, {"Content-Type": "application/xml"}, text.encode()

    # Multipart uploads

    def _post_parts(self, key: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if "uploads" in query:
            upload_id = f"upload/{next(self.server.numbers)}+="
            self.server.uploads[upload_id] = Parts(key, time.time())
            return 200, {}, _wrap("InitiateMultipartUploadResult", f"<UploadId>{upload_id}</UploadId>")
        upload = self.server.uploads.get(query["uploadId"])
        if upload is None:
            return _error(404, "NoSuchUpload")
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)]
        if numbers != sorted(upload.parts) or any(
            len(upload.parts[number]) < 5 << 20 for number in numbers[:-1]
        ):
            return _error(400, "InvalidPart")
        whole = b"".join(upload.parts[number] for number in numbers)
        del self.server.uploads[query["uploadId"]]
        self.server.objects[key] = whole
        text = (
            f"<CompleteMultipartUploadResult><Key>{escape(key)}</Key><ETag>{escape(_etag(whole))}</ETag>"
            "</CompleteMultipartUploadResult>"
        )
        return 200, {}, text.encode()

    def _put_parts(self, _key: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        upload = self.server.uploads.get(query["uploadId"])
        if upload is None:
            return _error(404, "NoSuchUpload")
        upload.parts[int(query["partNumber"])] = body
        return 200, {"ETag": _etag(body)}, b""

    def _delete_parts(
        self, _key: str, query: dict[str, str], _body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if self.server.uploads.pop(query["uploadId"], None) is None:
            return _error(404, "NoSuchUpload")
        return 204, {}, b""

    def _list_uploads(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        marker = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
        found = sorted(
            (upload.key, name, upload.began_at)
            for name, upload in self.server.uploads.items()
            if upload.key.startswith(query.get("prefix", "")) and (upload.key, name) > marker
        )
        page = found[: self.server.page]
        entries = "".join(
            f"<Upload><Key>{escape(key)}</Key><UploadId>{escape(name)}</UploadId>"
            f"<Initiated>{_iso(at)}</Initiated></Upload>"
            for key, name, at in page
        )
        more = ""
        if page != found:
            more = (
                f"<NextKeyMarker>{escape(page[-1][0])}</NextKeyMarker>"
                f"<NextUploadIdMarker>{escape(page[-1][1])}</NextUploadIdMarker>"
            )
        cut = f"<IsTruncated>{str(page != found).lower()}</IsTruncated>"
        return 200, {}, _wrap("ListMultipartUploadsResult", cut + more + entries)

    # Answers

    def _refuse(self, status: int, code: str) -> None:
        self._send(*_error(status, code))

    def _send(self, status: int, headers: dict[str, str], content: bytes, cut_at: int | None = None) -> None:
        if cut_at == -1:
            raise _Cut
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(content if cut_at is None else content[:cut_at])
        if cut_at is not None and cut_at < len(content):
            self.wfile.flush()
            raise _Cut


def _error(status: int, code: str) -> tuple[int, dict[str, str], bytes]:
    return status, {}, f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()


def _wrap(name: str, content: str) -> bytes:
    return f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{content}</{name}>'.encode()


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _http_date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


@contextmanager
def running_s3() -> Iterator[FakeS3]:
    """Run a server."""
    server = FakeS3()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
