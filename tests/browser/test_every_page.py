"""Every page, light and dark: axe finds nothing serious, and nothing sticks out on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from visits import ADMIN, ANA, Installation, Visit

pytestmark = pytest.mark.slow

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("email", "path"), PAGES, ids=[path for _, path in PAGES])
def test_a_page_is_for_everybody(
    visit: Callable[..., Visit],
    places: dict[str, str],
    axe: str,
    email: str | None,
    path: str,
    scheme: str,
) -> None:
    page = visit(email, color_scheme=scheme, reduced_motion="reduce").open(path.format(**places))
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    grave = [one for one in found if one["impact"] in {"serious", "critical"}]
    said = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in grave]
    assert said == []
    page.set_viewport_size({"width": 360, "height": 740})
    for _ in range(50):  # until it is laid out; the content policy lets no page wait for an expression
        if page.evaluate(WIDTH) <= 360:
            break
        page.wait_for_timeout(100)
    assert page.evaluate(WIDTH) <= 360
