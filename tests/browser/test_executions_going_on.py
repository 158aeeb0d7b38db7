"""Executions while they go on: looked at again, cancelled, tried again, refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from visits import NEWCOMERS, Installation, Visit

pytestmark = pytest.mark.slow
ENDLESS = {"training": {"max_epochs": 100_000, "threads": 1, "early_stop_delta": 0, "patience": 100_000}}


def open_new(page: Page) -> Locator:
    """Open the dialog of a new execution from the panel."""
    page.get_by_role("region", name="Executions").get_by_role("button", name="New").click()
    return page.get_by_role("dialog", name="New execution")


def test_a_training_is_left_looked_at_again_cancelled_and_tried_again(
    visit: Callable[..., Visit], installation: Installation
) -> None:
    made = installation.synthesise(**ENDLESS)
    page = visit("person0@example.org").open(made["synthesis"])
    open_new(page).get_by_role("button", name="Start").click()
    timeline = page.get_by_role("dialog", name="Timeline")
    training = timeline.get_by_role("listitem").filter(has_text="Training")
    expect(training).to_contain_text("in progress", timeout=60_000)
    chart = timeline.get_by_role("img", name="Training and validation loss")
    expect(chart).to_be_visible(timeout=60_000)

    page.reload()
    expect(training).to_contain_text("in progress")
    expect(chart).to_be_visible()
    expect(timeline.get_by_role("progressbar", name="Progress of Training")).to_be_visible()

    timeline.get_by_role("button", name="Cancel it").click()
    asked = page.get_by_role("dialog", name="Cancel the execution?")
    asked.get_by_role("button", name="Let it go on").click()
    expect(training).to_contain_text("in progress")
    timeline.get_by_role("button", name="Cancel it").click()
    asked.get_by_role("button", name="Cancel the execution").click()
    expect(timeline.get_by_text("Cancelled", exact=True).first).to_be_visible()
    expect(training).to_contain_text("stopped")

    timeline.get_by_role("button", name="Try again").click()
    expect(timeline.get_by_text("shops 2", exact=True)).to_be_visible()
    # Prepared rows do not outlive an execution, so it begins before the step that was asked for, and says so.
    expect(timeline.get_by_text("Begins at Data loading rather than at Training")).to_be_visible()
    steps = timeline.get_by_role("listitem")
    expect(steps.filter(has_text="Building the model")).to_contain_text("taken over", timeout=60_000)
    expect(training).to_contain_text("in progress", timeout=60_000)
    timeline.get_by_role("button", name="Cancel it").click()
    asked.get_by_role("button", name="Cancel the execution").click()
    expect(timeline.get_by_text("Cancelled", exact=True).first).to_be_visible()
    page.keyboard.press("Escape")
    items = page.get_by_role("region", name="Executions").get_by_role("listitem")
    expect(items).to_have_count(2)
    expect(items.filter(has_text="Cancelled")).to_have_count(2)

    page.get_by_role("button", name="Actions for shops 2").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("second try")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(items.filter(has_text="second try")).to_be_visible()
    page.get_by_role("button", name="Actions for shops 1").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog", name="Delete shops 1?").get_by_role("button", name="Delete").click()
    expect(items).to_have_count(1)


def test_a_start_above_the_quota_is_refused_with_the_numbers(
    visit: Callable[..., Visit], installation: Installation
) -> None:
    person = NEWCOMERS[2]
    made = installation.synthesise(person)
    admin = installation.people.admin
    known = admin.get("/users", params={"text": person}).raise_for_status().json()["items"]
    (user,) = (one for one in known if one["email"] == person)
    limit = {"limit": 10, "period": "day"}
    admin.put(f"/users/{user['id']}/quotas/rows", json=limit).raise_for_status()

    page = visit(person).open(made["synthesis"])
    dialog = open_new(page)
    expect(dialog.get_by_text("Left of your quota: 10 rows")).to_be_visible()
    dialog.get_by_role("button", name="Start").click()
    refused = dialog.get_by_role("alert")
    expect(refused).to_contain_text("quota.")
    expect(refused).to_contain_text("10")
    refused.get_by_role("link", name="See your quota").click()
    expect(page.get_by_text("0 of 10 used")).to_be_visible()
    with installation.client(person) as client:
        assert client.get("/executions").raise_for_status().json()["items"] == []
