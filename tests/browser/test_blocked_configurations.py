"""For every validation: what it says is shown at its place, an error blocks, what is offered repairs it."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Locator, Page, expect
from serving import post
from visits import ANA, Installation, Visit, wait_for_checks

from check_cases import CASES
from checked_bank import DOCUMENT, Tables, as_arrow, make_tables

QUICK = {
    "data.empty_table",
    "primary_keys.duplicates",
    "foreign_keys.orphans",
    "treatment.original_references_synthetic",
    "settings.rows_too_few",
}
NO_FILE = {"data.table_name"}  # no file can be called so
EACH = [
    pytest.param(
        code, place, id=f"{code}-{place}", marks=pytest.mark.slow if code in QUICK else pytest.mark.soak
    )
    for code, cases in CASES.items()
    if code not in NO_FILE
    for place in range(len(cases))
]


@pytest.mark.parametrize(("code", "place"), EACH)
def test_what_is_wrong_is_shown_and_repaired(
    visit: Callable[..., Visit], installation: Installation, code: str, place: int
) -> None:
    cause, where = CASES[code][place]
    tables, document = make_tables(), copy.deepcopy(DOCUMENT)
    cause(tables, document)
    path, found = configure(installation, tables, document)
    # Tables of files come in another order, so that a circle may be told of another of its keys.
    finding = min((one for one in found if one["code"] == code), key=lambda one: one["where"] != where)
    page = visit(ANA).open(f"{path}/configure/{finding['step']}")
    wait_for_checks(page)
    alerts = page.locator("[data-severity]").filter(has_text=finding["message"])
    show_all(page)
    expect(alerts).to_have_attribute("data-severity", finding["severity"])
    remedies = remedies_of(alerts)
    assert remedies.count() > 0 or code not in QUICK
    for number in range(remedies.count()):
        remedies.nth(number).click()
        wait_for_checks(page)
        expect(alerts).to_have_count(0)
        page.get_by_role("button", name="Undo", exact=True).click()
        wait_for_checks(page)
        show_all(page)
        expect(alerts).to_be_visible()

    page.get_by_role("link", name="5. Synth settings").click()
    create = page.get_by_role("button", name="Create …")
    if any(one["severity"] == "error" for one in found):
        expect(create).to_be_disabled()
        page.get_by_role("button", name="Repair the problems first.").click()
        expect(page.locator("[data-severity=error]").first).to_be_visible()
    else:
        expect(create).to_be_enabled()


def configure(
    installation: Installation, tables: Tables, document: dict[str, Any]
) -> tuple[str, list[dict[str, Any]]]:
    """Make a source of the tables and a synthesis with the document; gives its path and what checks say."""
    files = {}
    for name, table in as_arrow(tables).items():
        written = io.BytesIO()
        pq.write_table(table, written)
        files[f"{name}.parquet"] = written.getvalue()
    path = installation.make(files, document)["synthesis"]
    with installation.client() as client:
        checked = post(client, f"{path}/checks")
    return path, checked["findings"]


def remedies_of(alert: Locator) -> Locator:
    return alert.get_by_role("button").filter(has_not=alert.page.get_by_text("Show", exact=True))


def show_all(page: Page) -> None:
    more = page.get_by_role("button", name=re.compile(r"^Show \d+ more"))
    if more.is_visible():
        more.click()
