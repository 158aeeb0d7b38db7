"""``--server``: the same verbs, done by an installation."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from finished_run import succeed
from installation import Submitted, make_person, running_platform
from kinsynth.cli import main, remote
from kinsynth.client import Client
from kinsynth.server.app import make_app
from kinsynth.service.people.tokens import NewToken, create_token
from kinsynth.service.platform import Platform
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from shop_database import shop_document, write_shops

SERVER = "https://kinsynth.test"


class Wire(httpx.BaseTransport):
    """A way to the application in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give its whole answer."""
        body = request.read()

        async def serve() -> httpx.Response:
            whole = httpx.Request(request.method, request.url, headers=request.headers, content=body)
            answer = await httpx.ASGITransport(app=self._app).handle_async_request(whole)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return asyncio.run(serve())


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """An installation without workers, and the commands' way to it."""
    records = Records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    migrate(records)
    with running_platform(records, tmp_path / "data") as opened:
        found = replace(opened, engine=Submitted())  # type: ignore[arg-type]
        secret = create_token(found, make_person(found), NewToken(name="t")).secret
        wire = Wire(make_app(found))
        monkeypatch.setattr(remote, "Client", lambda url, token: Client(url, token, transport=wire))
        monkeypatch.setenv("KINSYNTH_TOKEN", secret)
        monkeypatch.chdir(tmp_path)
        write_shops(tmp_path / "shops")
        yield found
    records.close()


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run a command there; gives its exit code and everything it said."""
    with pytest.raises(SystemExit) as caught:
        main(["--server", SERVER, *words])
    said = capsys.readouterr()
    return int(caught.value.code or 0), said.out + said.err


def test_a_source_is_inspected_and_declared_there(
    platform: Platform, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, said = call(capsys, "inspect", "shops")
    assert code == 0
    assert "sale(shop_id) -> shop(shop_id)" in said
    assert call(capsys, "init", "shops", "-o", "made/shops.yaml")[0] == 0
    document = yaml.safe_load((tmp_path / "made" / "shops.yaml").read_text())
    assert document["source"]["paths"] == ["../shops"]
    assert document["tables"]["sale"]["primary_key"] == ["sale_id"]


def test_a_document_is_checked_there(
    platform: Platform, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "d.yaml").write_text(yaml.safe_dump({**shop_document(tmp_path / "shops"), "tables": {}}))
    code, said = call(capsys, "check", "d.yaml")
    assert code == 2
    assert "data.too_few_rows" in said
    code, said = call(capsys, "check", "d.yaml", "--tables.region.original", "true")
    assert (code, "Complexity:" in said) == (0, True)


def test_results_are_fetched_and_executions_listed(
    platform: Platform, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(shop_document(tmp_path / "shops")))
    started: list[str] = []

    def follow(_invocation: object, _client: Client, execution: dict[str, Any]) -> None:
        started.append(execution["id"])
        succeed(platform, execution["id"], tmp_path)

    monkeypatch.setattr(remote, "_follow", follow)
    code, said = call(capsys, "run", "d.yaml", "--output", "out", "--rows", "shop=30")
    assert (code, "out/tables/shop.csv" in said) == (0, True)
    assert (tmp_path / "out" / "report.pdf").read_bytes() == b"%PDF-1.7"
    assert started[0] in call(capsys, "executions")[1]
    assert "execution.folder_not_empty" in call(capsys, "fetch", started[0], "--output", "out")[1]
    assert call(capsys, "fetch", started[0], "--output", "again")[0] == 0
    assert "execution.final" in call(capsys, "cancel", started[0])[1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("generate", "exe_" + "a" * 20, "--output", "o"), "access.not_found"),
        (("generate", "exe_" + "a" * 20, "--output", "o", "--fix", "a=b"), "access.not_found"),
        (("generate", "x", "--output", "o", "--given", "nowhere.csv"), "source.not_found"),
        (("retry", "exe_" + "a" * 20, "--output", "o"), "access.not_found"),
        (("retry", "x", "--output", "o", "--from", "nowhere"), "command.usage"),
        (("impute", "x", "f.csv", "--output", "o.csv"), "source.not_found"),
        (("impute", "x", "f.csv", "--output", "o.xml"), "command.output_format"),
        (("impute", "x", "f.csv", "--output", "o.csv", "--method", "nearest"), "condition.method"),
        (("resume", "exe_" + "a" * 20), "access.not_found"),
        (("inspect", "nowhere"), "source.not_found"),
    ],
)
def test_what_cannot_be_done_there_is_told(
    platform: Platform, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str
) -> None:
    found, said = call(capsys, *words)
    assert (found, code in said) == (2, True)


def test_a_token_is_needed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KINSYNTH_TOKEN", raising=False)
    assert "command.token" in call(capsys, "executions")[1]


def test_a_server_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["executions"])
    assert "command.server" in capsys.readouterr().err


# The whole of it


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and token of ``kinsynth serve`` with a worker, as somebody would start it."""
    environment = {
        **os.environ,
        "KINSYNTH_DATA": str(tmp_path / "data"),
        "KINSYNTH_PORT": "0",
        "OMP_NUM_THREADS": "1",
    }
    program = [sys.executable, "-c", "from kinsynth.cli import main; main(['serve'])"]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(program, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            yield _set_up(tmp_path / "said")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0


def _set_up(said: Path) -> tuple[str, str]:
    deadline = time.monotonic() + 60
    while (found := re.search(r"serves at (\S+)\n.*?(setup_\S+)", said.read_text(), re.DOTALL)) is None:
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)
    address, setup = found.groups()
    person = {"email": "ann@example.org", "password": "a long sentence nobody guesses 7"}
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as http:
        assert http.post("/setup", json={"token": setup, "name": "Ann", **person}).status_code == 201
        session = http.post("/sessions", json=person)
        cookie = session.headers["set-cookie"].partition(";")[0]
        headers = {"Cookie": cookie, "X-CSRF-Token": session.json()["csrf"]}
        token = http.post("/tokens", json={"name": "t"}, headers=headers).json()["secret"]
    return address, token


@pytest.mark.slow
def test_the_same_document_gives_the_same_bytes_here_and_there(
    served: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, token = served
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KINSYNTH_TOKEN", token)
    write_shops(tmp_path / "shops")
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(shop_document(Path("shops"))))
    for words in (
        ["--server", address, "run", "d.yaml", "--output", "there"],
        ["run", "d.yaml", "--output", "here"],
    ):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert not caught.value.code
    for name in ("shop.csv", "sale.csv", "region.csv"):
        assert (tmp_path / "there" / "tables" / name).read_bytes() == (
            tmp_path / "here" / "tables" / name
        ).read_bytes()
    for name in ("certificate.json", "evaluation.json"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    (tmp_path / "known.csv").write_text("size,region_id\nlarge,\n,2\nsmall,3\n", encoding="utf-8")
    words = ("--seed", "3", "--given", "shop=known.csv", "--balance", "sale.kind=a:0.75", "--never",
             "size=medium", "--no-missing", "sale.amount", "--temperature", "0.9")  # fmt: skip
    with Client(address, token) as client:
        trained = next(client.executions())["id"]
        for command in (
            ["--server", address, "generate", trained, *words, "--output", "more_there"],
            ["generate", "here", *words, "--output", "more_here"],
            ["--server", address, "impute", trained, "known.csv", "--output", "filled_there.csv"],
            ["impute", "here", "known.csv", "--output", "filled_here.csv"],
            ["--server", address, "retry", trained, "--from", "report", "--output", "again_there"],
        ):
            with pytest.raises(SystemExit) as caught:
                main(command)
            assert not caught.value.code
        assert [one["name"] for one in client.sources()] == ["shops"], "the given rows are not left there"
    assert (tmp_path / "filled_there.csv").read_bytes() == (tmp_path / "filled_here.csv").read_bytes()
    for name in ("shop.csv", "sale.csv", "region.csv"):
        drawn = (tmp_path / "more_there" / "tables" / name).read_bytes()
        assert drawn == (tmp_path / "more_here" / "tables" / name).read_bytes()
        again = (tmp_path / "again_there" / "tables" / name).read_bytes()
        assert again == (tmp_path / "here" / "tables" / name).read_bytes()
