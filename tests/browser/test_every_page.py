"""Every page, light and dark: axe finds nothing serious, and nothing sticks out on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize
from visits import ADMIN, ANA, Installation, Visit

pytestmark = pytest.mark.slow

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDE: ViewportSize = {"width": 1360, "height": 850}
NARROW: ViewportSize = {"width": 360, "height": 740}
SETTLING_MS = 300  # colours pass from one scheme to the other
WIDTH = "document.documentElement.scrollWidth"
STEPS = ("data", "primary_keys", "foreign_keys", "treatment", "settings")
OUTSIDE = ["/sign-in", "/setup"]
OWN = [
    "/sources",
    "{source}",
    "/syntheses",
    "/syntheses?create",
    "{synthesis}",
    "{synthesis}?tab=charts",
    "{synthesis}?tab=certificate",
    "{synthesis}?timeline={execution}",
    *(f"{{synthesis}}/configure/{step}" for step in STEPS),
    *(
        f"/settings/{part}"
        for part in ("profile", "tokens", "quota", "sessions", "destinations", "appearance")
    ),
    "/nowhere",
]
ADMINS = [f"/admin/{part}" for part in ("people", "audit", "receipts")]
PAGES = (
    [(None, path) for path in OUTSIDE] + [(ANA, path) for path in OWN] + [(ADMIN, path) for path in ADMINS]
)


@pytest.fixture(scope="module")
def places(installation: Installation) -> dict[str, str]:
    """Addresses of a source, and of a synthesis that was executed."""
    made = installation.synthesise()
    return {**made, "execution": installation.finish(made["synthesis"])}


@pytest.fixture(scope="module")
def visits(chromium: Browser, installation: Installation) -> Iterator[dict[str | None, Visit]]:
    """A browser for each person: what was loaded once is not loaded again for every page."""
    opened = {
        email: Visit(chromium, installation.address, reduced_motion="reduce") for email in (None, ANA, ADMIN)
    }
    for email, one in opened.items():
        if email:
            one.sign_in(email)
    yield opened
    for one in opened.values():
        one.close()


@pytest.mark.parametrize(("email", "path"), PAGES, ids=[path for _, path in PAGES])
def test_a_page_is_for_everybody(
    visits: dict[str | None, Visit], places: dict[str, str], axe: str, email: str | None, path: str
) -> None:
    visit = visits[email]
    visit.page.set_viewport_size(WIDE)
    page = visit.open(path.format(**places))
    page.evaluate(axe)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.locator(f"html[data-mantine-color-scheme={scheme}]").wait_for()
        page.wait_for_timeout(SETTLING_MS)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        grave = [one for one in found if one["impact"] in {"serious", "critical"}]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in grave] == [], scheme
    page.set_viewport_size(NARROW)
    for _ in range(50):  # until it is laid out; the content policy lets no page wait for an expression
        if page.evaluate(WIDTH) <= NARROW["width"]:
            break
        page.wait_for_timeout(100)
    assert page.evaluate(WIDTH) <= NARROW["width"]
    faults, visit.faults = visit.faults, []
    assert faults == []
