"""Visits of a browser that note what goes wrong: errors, breaches of the policy, requests elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, Route, expect
from serving import API, PASSWORD, prepare

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
ADMIN, ANA, BEN = "admin@example.org", "person0@example.org", "person1@example.org"
_BREACHES = """addEventListener("securitypolicyviolation", (breach) =>
    console.error(`policy: ${breach.violatedDirective} ${breach.blockedURI}`));"""
_REFUSED = "Failed to load resource: the server responded with a status of 4"

expect.set_options(timeout=15_000)  # on a machine that does other things, too


@dataclass(frozen=True)
class Installation:
    """A running server.

    Attributes:
        address: Where it is.
        tokens: Those of the two people.
        shops: A folder with a small database.
    """

    address: str
    tokens: list[str]
    shops: Path

    def client(self, person: int = 0) -> httpx.Client:
        """Give a client of a person's API."""
        headers = {"Authorization": f"Bearer {self.tokens[person]}"}
        return httpx.Client(base_url=self.address + API, headers=headers, timeout=60)

    def synthesise(self, person: int = 0) -> dict[str, str]:
        """Make a source and a synthesis of the shops; gives their paths in the API."""
        files = {path.name: path.read_bytes() for path in sorted(self.shops.iterdir())}
        with self.client(person) as client:
            return prepare(client, files)

    def finish(self, synthesis: str, person: int = 0, seconds: float = 240) -> str:
        """Start an execution of a synthesis and wait for its end; gives its id."""
        with self.client(person) as client:
            document = client.get(synthesis).json()
            changed = document["document"] | {"training": {"max_epochs": 2, "threads": 1}}
            client.put(
                synthesis, json={"document": changed, "version": document["version"]}
            ).raise_for_status()
            made = client.post(f"{synthesis}/executions", json={"name": "first"}).raise_for_status().json()
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                status = client.get(f"/executions/{made['id']}").json()["status"]
                if status not in {"queued", "running"}:
                    assert status == "succeeded", status
                    return str(made["id"])
                time.sleep(0.5)
        raise AssertionError("the execution did not end in time")


class Visit:
    """Somebody at a browser; ``faults`` holds whatever went wrong so far."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.address, self.faults = address, list[str]()
        said = {"base_url": address, "locale": "en-GB", "viewport": {"width": 1360, "height": 850}}
        self.context = browser.new_context(**(said | options))
        self.context.set_default_timeout(15_000)
        self.context.add_init_script(_BREACHES)
        self.context.route("**/*", self._stay)
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("response", self._look)

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        """Sign in without the form."""
        answer = self.context.request.post(f"{API}/sessions", data={"email": email, "password": password})
        assert answer.ok, answer.text()

    def open(self, path: str) -> Page:
        """Open a page and wait until it stands."""
        self.page.goto(path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing is asked of the server and the page has its heading."""
        self.page.get_by_role("heading", level=1).first.wait_for()
        self.page.wait_for_load_state("networkidle")

    def close(self) -> None:
        """Leave."""
        self.context.close()

    def _stay(self, route: Route) -> None:
        """Let a request pass, if it stays at home."""
        if route.request.url.startswith((f"{self.address}/", "data:", "blob:")):
            route.continue_()
        else:
            self.faults.append(f"request to {route.request.url}")
            route.abort()

    def _hear(self, message: ConsoleMessage) -> None:
        # A refusal is what some tests want to see; those of the server's own making are noted below.
        if message.type == "error" and not message.text.startswith(_REFUSED):
            self.faults.append(f"console: {message.text}")

    def _look(self, response: Response) -> None:
        if response.status >= 500 or (
            response.status == 404 and urlsplit(response.url).path.startswith("/assets")
        ):
            self.faults.append(f"{response.status} of {response.url}")
