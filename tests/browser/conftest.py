"""Fixtures of the browser tests: the built application, served with a worker, opened in Debian's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from serving import People, running_server
from visits import AXE, PERSONS, Installation, Visit

from kinsynth.server.pages import BUILT
from shop_database import write_shops


@pytest.fixture(scope="session")
def program() -> str:
    """The path of the browser; tests that need it are skipped, and say so, where something is missing."""
    path = os.environ.get("KINSYNTH_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("chromium not found; install Debian's package chromium or set KINSYNTH_CHROMIUM")
    if not (BUILT / "index.html").is_file():
        pytest.skip(f"the web application was not built ({BUILT} is empty); run scripts/install")
    return path


@pytest.fixture(scope="module")
def chromium(program: str) -> Iterator[Browser]:
    """The browser. It ends with its module: Playwright keeps an event loop running in this thread, in which
    no other test could start one."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running server with a worker, an administrator and some people."""
    folder = tmp_path_factory.mktemp("installation")
    with running_server(folder) as (address, setup, _):
        people = People(address, setup, count=len(PERSONS))
        write_shops(folder / "shops")
        yield Installation(address, people, folder / "shops")
        people.admin.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        pytest.skip("axe-core not found in web/node_modules; run npm ci in web")
    return AXE.read_text()


@pytest.fixture
def visit(chromium: Browser, installation: Installation) -> Iterator[Callable[..., Visit]]:
    """Opens pages in a browser of their own; whatever went wrong in one fails the test at its end."""
    opened: list[Visit] = []

    def open_one(email: str | None = None, **options: object) -> Visit:
        one = Visit(chromium, str(options.pop("address", installation.address)), **options)
        opened.append(one)
        if email:
            one.sign_in(email)
        return one

    yield open_one
    for one in opened:
        one.close()
    assert [fault for one in opened for fault in one.faults] == []
