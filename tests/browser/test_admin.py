"""What administrators do, and that others do not come there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from visits import ADMIN, ANA, Visit

pytestmark = pytest.mark.slow
CHOSEN = "seven slow brown herons"


def act(page: Page, name: str, action: str) -> Locator:
    """Choose an action of somebody's row; gives the dialog that opens."""
    page.get_by_role("button", name=f"Actions: {name}").click()
    page.get_by_role("menuitem", name=action).click()
    return page.get_by_role("dialog")


def test_an_account_is_made_limited_blocked_and_activated(visit: Callable[..., Visit]) -> None:
    page = visit(ADMIN).open("/admin")
    page.get_by_role("button", name="New account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Carla Neri")
    dialog.get_by_label("E-mail address").fill("carla@example.org")
    dialog.get_by_role("textbox", name="Password").fill(CHOSEN)
    dialog.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Carla Neri can sign in now.")).to_be_visible()
    page.get_by_role("searchbox").fill("carla")
    row = page.get_by_role("row").filter(has_text="Carla Neri")
    expect(page.get_by_text("1 account", exact=True)).to_be_visible()

    dialog = act(page, "Carla Neri", "Quotas")
    section = dialog.get_by_role("region", name="Compute time")
    section.get_by_role("switch").press("Space")
    section.get_by_label("Limit in hours").fill("3")
    section.get_by_role("button", name="Save").click()
    expect(section.get_by_text("0 secs of 3 hrs used")).to_be_visible()
    page.keyboard.press("Escape")
    theirs = visit()
    theirs.sign_in("carla@example.org", CHOSEN)
    theirs.open("/settings/quota")
    expect(theirs.page.get_by_text("0 secs of 3 hrs used")).to_be_visible()

    dialog = act(page, "Carla Neri", "Block")
    dialog.get_by_role("button", name="Block").click()
    expect(row).to_contain_text("Blocked")
    theirs.open("/settings")
    expect(theirs.page).to_have_url(f"{theirs.address}/sign-in")
    act(page, "Carla Neri", "Activate")
    expect(row).to_contain_text("Active")

    dialog = act(page, "Carla Neri", "Set a password")
    dialog.get_by_role("textbox", name="Password").fill("nine loud green larks")
    dialog.get_by_role("button", name="Set a password").click()
    expect(page.get_by_text("Carla Neri has a new password.")).to_be_visible()
    theirs.sign_in("carla@example.org", "nine loud green larks")


def test_what_cannot_be_done_is_said(visit: Callable[..., Visit]) -> None:
    page = visit(ADMIN).open("/admin")
    page.get_by_role("button", name="New account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Second Ana")
    dialog.get_by_label("E-mail address").fill(ANA)
    dialog.get_by_role("button", name="Make the account").click()
    expect(dialog.get_by_role("alert")).to_contain_text("users.email_taken")
    page.keyboard.press("Escape")
    act(page, "Admin", "Block").get_by_role("button", name="Block").click()
    expect(page.get_by_role("alert")).to_contain_text("users.last_admin")


def test_the_log_is_filtered_and_proven(visit: Callable[..., Visit]) -> None:
    page = visit(ADMIN).open("/admin/audit")
    page.get_by_role("combobox", name="What").click()
    page.get_by_role("option", name="API tokens").click()
    expect(page.get_by_role("row").filter(has_text="sessions.create")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="tokens.create").first).to_contain_text("Person")
    page.get_by_label("Object").fill("nothing of this name")
    expect(page.get_by_text("No entries")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_role("row").filter(has_text="sessions.create").first).to_be_visible()
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_text("The log is whole")).to_be_visible()
    assert len(page.get_by_role("group", name="Last digest").locator("pre").inner_text().strip()) == 64


def test_others_are_told_that_they_do_not_come_here(visit: Callable[..., Visit]) -> None:
    page = visit(ANA).open("/admin/people")
    expect(page.get_by_text("Only administrators come here")).to_be_visible()
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)
    expect(page.get_by_text("person1@example.org")).to_have_count(0)
