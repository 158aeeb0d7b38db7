"""Two people with an account each do not see each other's work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from visits import ANA, BEN, Installation, Visit

pytestmark = pytest.mark.slow


def test_two_people_do_not_see_each_others_work(
    visit: Callable[..., Visit], installation: Installation
) -> None:
    made = installation.synthesise()
    with installation.client() as client:
        for kind, name in (("source", "anas source"), ("synthesis", "anas synthesis")):
            client.patch(made[kind], json={"name": name}).raise_for_status()
    ana, ben = visit(ANA), visit(BEN)
    for listing, name in (("/syntheses", "anas synthesis"), ("/sources", "anas source")):
        expect(ana.open(listing).get_by_text(name).first).to_be_visible()
        expect(ben.open(listing).get_by_text(name)).to_have_count(0)
    for kind, name in (("synthesis", "anas synthesis"), ("source", "anas source")):
        expect(ana.open(made[kind]).get_by_text(name).first).to_be_visible()
        expect(ben.open(made[kind]).get_by_role("main")).to_contain_text("There is nothing at this address.")
    ben.faults[:] = [fault for fault in ben.faults if "or it is not shared with you" not in fault]
