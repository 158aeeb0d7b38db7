"""What people do with their own account."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect
from serving import API, PASSWORD
from visits import ADMIN, ANA, BEN, Installation, Visit

pytestmark = pytest.mark.slow


def ask_me(address: str, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.get(f"{address}{API}/users/me", headers=headers, timeout=30).status_code


def test_a_changed_name_stays(visit: Callable[..., Visit]) -> None:
    one = visit(BEN)
    page = one.open("/settings")
    page.get_by_label("Organisation").fill("Ospedale Nord")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Organisation")).to_have_value("Ospedale Nord")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()


def test_a_password_is_changed_by_who_knows_it(visit: Callable[..., Visit]) -> None:
    changed = "seven slow brown herons"
    elsewhere = visit(BEN)
    one = visit(BEN)
    page = one.open("/settings")
    fields = [page.get_by_role("textbox", name=name) for name in ("Current password", "New password again")]
    new = page.get_by_role("textbox", name=re.compile("^New password(?! again)"))
    fields[0].fill("this is not it at all")
    new.fill(changed)
    fields[1].fill(changed + "x")
    expect(page.get_by_text("The two do not match.")).to_be_visible()
    fields[1].fill(changed)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("sign_in.refused")
    fields[0].fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    # This session goes on, with what its changes need; the other one has ended.
    page.get_by_label("Organisation").fill("Ospedale Sud")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    elsewhere.open("/settings")
    expect(elsewhere.page).to_have_url(f"{one.address}/sign-in")
    fields[0].fill(changed)
    new.fill(PASSWORD)
    fields[1].fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(fields[0]).to_have_value("")


def test_a_token_lives_from_its_making_to_its_deletion(
    visit: Callable[..., Visit], installation: Installation
) -> None:
    page = visit(ANA).open("/settings/tokens")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("notebook")
    dialog.get_by_role("button", name="Make the token").click()
    secret = dialog.get_by_role("group", name="Token").locator("pre").inner_text().strip()
    assert ask_me(installation.address, secret) == 200
    page.keyboard.press("Escape")
    expect(dialog.get_by_text("This is the only time it is shown.")).to_be_visible()
    dialog.get_by_role("button", name="I have copied it").click()
    expect(dialog).to_be_hidden()

    row = page.get_by_role("row").filter(has_text="notebook")
    row.get_by_role("button", name="Actions: notebook").click()
    page.get_by_role("menuitem", name="Suspend").click()
    expect(row).to_contain_text("Suspended")
    assert ask_me(installation.address, secret) == 401
    row.get_by_role("button", name="Actions: notebook").click()
    page.get_by_role("menuitem", name="Reactivate").click()
    expect(row).to_contain_text("Active")
    assert ask_me(installation.address, secret) == 200
    row.get_by_role("button", name="Actions: notebook").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    assert ask_me(installation.address, secret) == 401
    assert secret not in page.content()


def test_a_destination_is_made_changed_and_deleted(visit: Callable[..., Visit]) -> None:
    page = visit(ANA).open("/settings/destinations")
    expect(page.get_by_text("No destinations yet")).to_be_visible()
    page.get_by_role("button", name="New destination").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("spreadsheets")
    dialog.get_by_role("combobox", name="Kind").click()
    expect(page.get_by_role("option", name="PostgreSQL (not available yet)")).to_be_disabled()
    page.keyboard.press("Escape")
    dialog.get_by_role("combobox", name="File format").click()
    page.get_by_role("option", name="XLSX").click()
    dialog.get_by_role("button", name="Save the destination").click()
    row = page.get_by_role("row").filter(has_text="spreadsheets")
    expect(row).to_contain_text("XLSX")
    row.get_by_role("button", name="Actions: spreadsheets").click()
    page.get_by_role("menuitem", name="Edit").click()
    dialog.get_by_label("Name").fill("tables")
    dialog.get_by_role("button", name="Save the destination").click()
    row = page.get_by_role("row").filter(has_text="tables")
    expect(row).to_contain_text("XLSX")
    row.get_by_role("button", name="Actions: tables").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No destinations yet")).to_be_visible()


def test_signing_out_everywhere_ends_all_sessions(visit: Callable[..., Visit]) -> None:
    elsewhere = visit(ADMIN)
    one = visit(ADMIN)
    page = one.open("/settings/sessions")
    expect(page.get_by_text("This one")).to_have_count(1)
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    expect(page).to_have_url(f"{one.address}/sign-in")
    elsewhere.open("/settings")
    expect(elsewhere.page).to_have_url(f"{one.address}/sign-in")


def test_language_and_theme_are_kept(visit: Callable[..., Visit]) -> None:
    page = visit(ANA, color_scheme="light").open("/settings/appearance")
    html = page.locator("html")
    expect(html).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_text("Dark", exact=True).click()
    page.get_by_text("Italiano", exact=True).click()
    for _ in range(2):
        expect(html).to_have_attribute("data-mantine-color-scheme", "dark")
        expect(html).to_have_attribute("lang", "it")
        expect(page.get_by_role("heading", level=1)).to_have_text("Impostazioni")
        page.reload()
