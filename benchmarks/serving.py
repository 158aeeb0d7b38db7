"""Many clients at once: requests of 100 clients while files are uploaded and an execution runs.

The server runs as ``kinsynth serve`` does, with one difference: its event loop is Python's own, whose
callbacks can be timed. Prints errors, times by kind of request, and the longest callback of the event loop,
by processor time and by the wall. Fails when a request did, when a callback took more than 250 ms of
processor time, or when no training ran at the end of the load.

    scripts/benchmark serving --clients 100 --requests 200
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

API = "/api/v1"
PASSWORD = "correct horse battery staple"
PEOPLE = 20
DOCUMENT = {"training": {"max_epochs": 200, "threads": 1, "training_steps": 50}, "report": {"enabled": False}}


# The server


def serve_timed(figures: Path) -> None:
    """Serve in this process, and write what the callbacks of its event loop took when it ends."""
    import asyncio.events

    import uvicorn

    from kinsynth.server import serve as door
    from kinsynth.settings.deployment import read_deployment
    from kinsynth.system.logs import set_up_logs

    longest = {"cpu_ms": 0.0, "wall_ms": 0.0, "callbacks": 0, "over_250_ms": 0, "worst": ""}
    plain = asyncio.events.Handle._run  # noqa: SLF001

    def timed(self: asyncio.events.Handle) -> None:
        cpu, wall = time.thread_time(), time.perf_counter()
        plain(self)
        cpu_ms, wall_ms = 1000 * (time.thread_time() - cpu), 1000 * (time.perf_counter() - wall)
        longest["callbacks"] += 1
        longest["over_250_ms"] += cpu_ms > 250
        if cpu_ms > longest["cpu_ms"]:
            longest["cpu_ms"], longest["worst"] = cpu_ms, repr(self)[:200]
        longest["wall_ms"] = max(longest["wall_ms"], wall_ms)

    asyncio.events.Handle._run = timed  # type: ignore[method-assign]  # noqa: SLF001
    config = uvicorn.Config

    def with_pythons_loop(*given: Any, **named: Any) -> uvicorn.Config:
        return config(*given, **{**named, "loop": "asyncio"})

    uvicorn.Config = with_pythons_loop  # type: ignore[assignment,misc]
    set_up_logs("json", "warning")
    try:
        door.serve(read_deployment(), say=lambda line: print(line, flush=True))
    finally:
        figures.write_text(json.dumps(longest))


@contextmanager
def running_server(folder: Path, **settings: str) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """Start the server; gives its address, its setup token and its process."""
    variables = {
        **os.environ,
        "KINSYNTH_DATA": str(folder / "data"),
        "KINSYNTH_PORT": "0",
        "KINSYNTH_LOG_LEVEL": "warning",
        **settings,
    }
    command = [sys.executable, __file__, "--serve", str(folder / "figures.json")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().rsplit(" ", 1)[-1].strip()
            found = re.search(r"setup_\S+", process.stdout.readline())
            assert found, (folder / "log").read_text()
            yield address, found.group(), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            if process.stdout is not None:
                process.stdout.close()


# The clients


class People:
    """Accounts with tokens."""

    def __init__(self, address: str, setup: str, count: int = PEOPLE) -> None:
        self.admin = httpx.Client(base_url=address + API, timeout=60)
        said = {"token": setup, "email": "admin@example.org", "name": "Admin", "password": PASSWORD}
        self._check(self.admin.post("/setup", json=said))
        self._sign_in(self.admin, "admin@example.org")
        self.tokens = [self._add(number, address) for number in range(count)]

    def _add(self, number: int, address: str) -> str:
        email = f"person{number}@example.org"
        said = {"email": email, "name": f"Person {number}", "password": PASSWORD, "role": "user"}
        self._check(self.admin.post("/users", json=said))
        with httpx.Client(base_url=address + API, timeout=60) as own:
            self._sign_in(own, email)
            return str(self._check(own.post("/tokens", json={"name": "load"}))["secret"])

    def _sign_in(self, client: httpx.Client, email: str) -> None:
        answer = client.post("/sessions", json={"email": email, "password": PASSWORD})
        client.headers["X-CSRF-Token"] = self._check(answer)["csrf"]
        client.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]

    @staticmethod
    def _check(answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()


def post(client: httpx.Client, path: str, **options: Any) -> Any:
    """Ask for something to be made; gives the answer."""
    answer = client.post(path, **{"json": {}, **options})
    assert answer.is_success, answer.text
    return answer.json()


def upload(client: httpx.Client, files: dict[str, bytes], name: str = "shops") -> dict[str, str]:
    """Make a source; gives the paths of it and of its version."""
    source = f"/sources/{post(client, '/sources', json={'name': name})['id']}"
    version = f"{source}/versions/{post(client, f'{source}/versions')['number']}"
    for file, content in files.items():
        answer = client.put(f"{version}/files/{file}", content=content)
        assert answer.is_success, answer.text
    post(client, f"{version}/seal")
    return {"source": source, "version": version}


def prepare(client: httpx.Client, files: dict[str, bytes]) -> dict[str, str]:
    """Make a source and a synthesis; gives the paths that can be asked for."""
    made = upload(client, files)
    said = {"source_id": made["source"].rsplit("/", 1)[-1], "name": "shops"}
    synthesis = post(client, "/syntheses", json=said)
    document = dict(synthesis["document"])
    for name, values in DOCUMENT.items():
        document[name] = {**document.get(name, {}), **values}
    document["tables"]["region"]["original"] = True
    answer = client.put(f"/syntheses/{synthesis['id']}", json={"document": document, "version": 1})
    assert answer.is_success, answer.text
    return {**made, "synthesis": f"/syntheses/{synthesis['id']}"}


def mix(
    paths: dict[str, str], execution: str, count: int, chance: random.Random
) -> list[tuple[str, str, str]]:
    """Choose requests: kind, method and path."""
    kinds = {
        "execution": (25, "GET", execution),
        "timeline": (20, "GET", f"{execution}/timeline"),
        "events": (10, "GET", f"{execution}/events?limit=50"),
        "executions": (8, "GET", "/executions?limit=20"),
        "syntheses": (8, "GET", "/syntheses"),
        "synthesis": (8, "GET", paths["synthesis"]),
        "source": (8, "GET", paths["source"]),
        "me": (4, "GET", "/users/me"),
        "quotas": (4, "GET", "/users/me/quotas"),
        "rename": (4, "PATCH", paths["source"]),
        "preview": (1, "GET", f"{paths['version']}/preview?table=shop&limit=20"),
    }
    names = chance.choices([*kinds], [weight for weight, _, _ in kinds.values()], k=count)
    return [(name, kinds[name][1], kinds[name][2]) for name in names]


def read_status(address: str, token: str, path: str) -> str:
    """Give the status of an execution."""
    answer = httpx.get(f"{address}{API}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    return str(answer.json()["status"])


async def upload_large(address: str, token: str, source: str, megabytes: int) -> tuple[float, int]:
    """Upload a large file of one column; gives the seconds it took and its status."""

    async def content() -> AsyncIterator[bytes]:
        yield b"value\n"
        block = b"0123456789\n" * 95_000
        for _ in range(megabytes):
            yield block

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address + API, headers=headers, timeout=600) as client:
        number = (await client.post(f"{source}/versions", json={})).json()["number"]
        started = time.perf_counter()
        answer = await client.put(f"{source}/versions/{number}/files/large.csv", content=content())
    return time.perf_counter() - started, answer.status_code


async def load(
    address: str, tokens: list[str], plans: list[list[tuple[str, str, str]]], uploads: list[tuple[str, int]]
) -> dict[str, Any]:
    """Let all clients send their requests at once, with uploads beside them, each of another person."""
    times: dict[str, list[float]] = defaultdict(list)
    wrong: Counter[str] = Counter()

    async def client(number: int, plan: list[tuple[str, str, str]]) -> None:
        headers = {"Authorization": f"Bearer {tokens[number % len(tokens)]}"}
        async with httpx.AsyncClient(base_url=address + API, headers=headers, timeout=120) as session:
            for kind, method, path in plan:
                body = {"json": {"name": f"shops {number}"}} if method == "PATCH" else {}
                started = time.perf_counter()
                try:
                    answer = await session.request(method, path, **body)
                    if answer.status_code != 200:
                        wrong[f"{kind} {answer.status_code}"] += 1
                except httpx.HTTPError as error:
                    wrong[f"{kind} {type(error).__name__}"] += 1
                times[kind].append(time.perf_counter() - started)

    started = time.perf_counter()
    uploading = asyncio.gather(
        *(upload_large(address, token, *one) for token, one in zip(tokens, uploads, strict=False))
    )
    await asyncio.gather(*(client(number, plan) for number, plan in enumerate(plans)))
    seconds = time.perf_counter() - started
    uploaded = await uploading
    every = [one for some in times.values() for one in some]
    wrong.update(f"upload {status}" for _, status in uploaded if status != 200)
    return {
        "requests": len(every),
        "errors": dict(wrong),
        "seconds": round(seconds, 1),
        "per_second": round(len(every) / seconds, 1),
        "p50_ms": round(1000 * quantiles(every, n=100)[49], 1),
        "p95_ms": round(1000 * quantiles(every, n=100)[94], 1),
        "longest_ms": round(1000 * max(every), 1),
        "p95_by_kind_ms": {
            kind: round(1000 * quantiles(some, n=20)[-1], 1)
            for kind, some in sorted(times.items())
            if len(some) > 20
        },
        "uploads_s": [round(one, 1) for one, _ in uploaded],
    }


def measure(
    clients: int, requests: int, uploads: int, megabytes: int, folder: Path, **settings: str
) -> dict[str, Any]:
    """Measure once in a folder; gives the figures."""
    from shop_database import write_shops

    write_shops(folder / "shops")
    files = {path.name: path.read_bytes() for path in sorted((folder / "shops").iterdir())}
    chance = random.Random(1)
    with running_server(folder, **settings) as (address, setup, _process):
        people = People(address, setup)
        people.admin.close()
        owned, plans = [], []
        for token in people.tokens:
            with httpx.Client(
                base_url=address + API, headers={"Authorization": f"Bearer {token}"}, timeout=120
            ) as own:
                paths = prepare(own, files)
                answer = own.post(f"{paths['synthesis']}/executions", json={"name": "training"})
                assert answer.is_success, answer.text
                owned.append((paths, f"/executions/{answer.json()['id']}"))
        for number in range(clients):
            paths, execution = owned[number % len(owned)]
            plans.append(mix(paths, execution, requests, chance))
        large = [(paths["source"], megabytes // uploads) for paths, _ in owned[:uploads]]
        figures = asyncio.run(load(address, people.tokens, plans, large))
        figures["trainings_were"] = [
            read_status(address, token, path) for token, (_, path) in zip(people.tokens, owned, strict=True)
        ]
    return {**figures, "event_loop": json.loads((folder / "figures.json").read_text())}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--megabytes", type=int, default=300, help="of all uploads together")
    arguments = parser.parse_args()
    if arguments.serve:
        serve_timed(arguments.serve)
        return
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(
            arguments.clients, arguments.requests, arguments.uploads, arguments.megabytes, Path(folder)
        )
    print(json.dumps(figures, indent=1))
    if (
        figures["errors"]
        or figures["event_loop"]["over_250_ms"]
        or "running" not in figures["trainings_were"]
    ):
        raise SystemExit("not as promised")


if __name__ == "__main__":
    main()
