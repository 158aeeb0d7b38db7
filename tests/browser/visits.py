"""Visits of a browser that note what goes wrong: errors, breaches of the policy, requests elsewhere."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, Route, expect
from serving import API, PASSWORD, People, post, prepare, upload

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
ADMIN = "admin@example.org"
PERSONS = [f"person{number}@example.org" for number in range(5)]
ANA, BEN, *NEWCOMERS = PERSONS
QUICK = {"training": {"max_epochs": 2, "threads": 1}, "report": {"enabled": True}}
_BREACHES = """addEventListener("securitypolicyviolation", (breach) =>
    console.error(`policy: ${breach.violatedDirective} ${breach.blockedURI}`));"""
_REFUSED = "Failed to load resource: the server responded with a status of 4"

expect.set_options(timeout=15_000)  # on a machine that does other things, too


@dataclass(frozen=True)
class Installation:
    """A running server.

    Attributes:
        address: Where it is.
        people: Those who have an account.
        shops: A folder with a small database.
    """

    address: str
    people: People
    shops: Path

    def client(self, person: str = ANA) -> httpx.Client:
        """Give a client of a person's API."""
        headers = {"Authorization": f"Bearer {self.people.tokens[PERSONS.index(person)]}"}
        return httpx.Client(base_url=self.address + API, headers=headers, timeout=300)

    def synthesise(self, person: str = ANA, **changes: Any) -> dict[str, str]:
        """Make a source and a synthesis of the shops, to be trained quickly; gives their paths in the API."""
        files = {path.name: path.read_bytes() for path in sorted(self.shops.iterdir())}
        with self.client(person) as client:
            made = prepare(client, files)
            change(client, made["synthesis"], QUICK | changes)
            return made

    def make(
        self, files: dict[str, bytes], changes: dict[str, Any], person: str = ANA, name: str = "made"
    ) -> dict[str, str]:
        """Make a source of files, and a synthesis with parts of its document changed; gives their paths."""
        with self.client(person) as client:
            made = upload(client, files, name)
            said = {"source_id": made["source"].rsplit("/", 1)[-1], "name": name}
            made["synthesis"] = f"/syntheses/{post(client, '/syntheses', json=said)['id']}"
            change(client, made["synthesis"], changes)
            return made

    def finish(self, synthesis: str, person: str = ANA, seconds: float = 240) -> str:
        """Start an execution of a synthesis and wait for its end; gives its id."""
        with self.client(person) as client:
            made = post(client, f"{synthesis}/executions", json={"name": "first"})["id"]
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                status = client.get(f"/executions/{made}").json()["status"]
                if status not in {"queued", "running"}:
                    assert status == "succeeded", status
                    return str(made)
                time.sleep(0.5)
        raise AssertionError("the execution did not end in time")


def change(client: httpx.Client, synthesis: str, changes: dict[str, Any]) -> None:
    """Write parts of the document of a synthesis anew."""
    known = client.get(synthesis).raise_for_status().json()
    said = {"document": known["document"] | changes, "version": known["version"]}
    client.put(synthesis, json=said).raise_for_status()


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


def choose_table(page: Page, table: str) -> None:
    """Choose a table in a step of the configurator."""
    tables = page.get_by_role("region", name="Tables", exact=True)
    tables.get_by_role("button", name=re.compile(f"^{table}\\b")).click()


def wait_for_checks(page: Page) -> None:
    """Wait until the server has said what it thinks of the configuration as it is now."""
    said = page.get_by_role("status").filter(has_text=re.compile("^Check"))
    expect(said).to_have_text("Checked", timeout=60_000)
