"""The first start, signing in, and the way back to where one wanted to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from serving import PASSWORD, running_server
from visits import ANA, Visit

pytestmark = pytest.mark.slow


def test_the_first_person_sets_the_installation_up(visit: Callable[..., Visit], tmp_path: Path) -> None:
    with running_server(tmp_path) as (address, token, _):
        one = visit(address=address)
        page = one.open("/")
        page.get_by_role("link", name="First start?").click()
        page.get_by_label("Setup token").fill(token)
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("E-mail address").fill("ada@example.org")
        page.get_by_role("textbox", name="Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        expect(page).to_have_url(f"{address}/syntheses")
        expect(page.get_by_role("link", name="Administration")).to_be_visible()
        one.close()


def test_a_wrong_setup_token_is_refused_in_words(visit: Callable[..., Visit], tmp_path: Path) -> None:
    with running_server(tmp_path) as (address, _token, _):
        one = visit(address=address)
        page = one.open("/setup")
        page.get_by_label("Setup token").fill("setup_wrong")
        page.get_by_label("Your name").fill("Eve")
        page.get_by_label("E-mail address").fill("eve@example.org")
        page.get_by_role("textbox", name="Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        expect(page.get_by_role("alert")).to_contain_text("setup.token")
        one.close()


def test_a_wrong_password_is_refused_in_words(visit: Callable[..., Visit]) -> None:
    page = visit().open("/sign-in")
    page.get_by_label("E-mail address").fill(ANA)
    page.get_by_role("textbox", name="Password").fill("not the password at all")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("sign_in.refused")
    expect(page.get_by_role("textbox", name="Password")).to_have_value("not the password at all")


def test_signing_in_leads_to_where_one_wanted_to_be(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.open("/settings/quota")
    expect(page).to_have_url(f"{one.address}/sign-in")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(ANA)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{one.address}/settings/quota")
    expect(page.get_by_role("heading", name="Compute time")).to_be_visible()


def test_after_signing_out_nothing_is_shown(visit: Callable[..., Visit]) -> None:
    one = visit(ANA)
    page = one.open("/settings")
    page.get_by_role("button", name="Account of Person 0").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_url(f"{one.address}/sign-in")
    one.open("/settings")
    expect(page).to_have_url(f"{one.address}/sign-in")
