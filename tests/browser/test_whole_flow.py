"""Somebody's way from a folder of files to a synthetic database and its downloads, as people go it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect
from serving import PASSWORD
from visits import NEWCOMERS, Installation, Visit, choose_table, wait_for_checks

pytestmark = pytest.mark.slow
LONG = 400_000  # milliseconds: a training
STEPS = ("Data loading", "Preprocessing", "Building the model", "Training", "Synthesis", "Report", "Storing")
Rows = list[list[str]]


@dataclass(frozen=True)
class Database:
    """What is synthesised: a lookup, a column to leave out (used by a rule or not), one root or several.

    The last is what a drawing is asked for: a table, a column and its value.
    """

    person: str
    original: str
    table: str
    column: str
    is_used: bool
    has_roots: bool
    asked: tuple[str, str, str]


DATABASES = {
    "shops": Database(
        NEWCOMERS[0],
        original="region",
        table="sale",
        column="kind",
        is_used=False,
        has_roots=False,
        asked=("shop", "size", "small"),
    ),
    "berka": Database(
        NEWCOMERS[1],
        original="district",
        table="trans",
        column="k_symbol",
        is_used=True,
        has_roots=True,
        asked=("account", "frequency", "POPLATEK TYDNE"),
    ),
}


@pytest.mark.parametrize("name", ["shops", pytest.param("berka", marks=pytest.mark.soak)])
def test_from_files_to_downloads(
    visit: Callable[..., Visit],
    installation: Installation,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    name: str,
) -> None:
    about = DATABASES[name]
    folder = installation.shops if name == "shops" else request.getfixturevalue("data_root") / name
    files = sorted(folder.glob("*.csv"))
    page = visit(reduced_motion="reduce").open("/")
    sign_in(page, about.person)
    upload(page, files, name)
    choose_data(page, about)
    look_at_keys(page, files)
    treat(page, about)
    set_up(page, name, about)
    start(page)
    watch(page)
    look_at_results(page, about)
    tables = download(page, tmp_path)
    assert set(tables) == {file.stem for file in files}
    assert tables[about.original] == read_csv((folder / f"{about.original}.csv").read_text(), ",")
    assert about.column not in tables[about.table][0]
    assert len(tables[about.table]) > 20
    draw(page, name, about)


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def upload(page: Page, files: list[Path], name: str) -> None:
    """Begin where nothing is: the first synthesis brings its source with it."""
    page.get_by_role("button", name="Create synthesis").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").first.set_input_files(files)
    dialog.get_by_label("Name of the source").fill(name)
    dialog.get_by_role("button", name=f"Upload {len(files)} files").click()
    dialog.get_by_role("button", name="Continue").click(timeout=60_000)
    expect(page.get_by_role("heading", name="Choose data")).to_be_visible(timeout=60_000)


def choose_data(page: Page, about: Database) -> None:
    choose_table(page, about.table)
    table = page.get_by_role("region", name=about.table, exact=True)
    table.get_by_label(f"Take {about.column} in").click()
    if about.is_used:
        asked = page.get_by_role("dialog", name=f"Leave {about.column} out?")
        asked.get_by_role("button", name="Leave out").click()
    expect(table.get_by_label(f"Take {about.column} in")).not_to_be_checked()
    table.get_by_role("tab", name="Rows").click()
    expect(table.get_by_role("grid").or_(table.get_by_role("table"))).to_be_visible()
    go_on(page, "Primary keys")


def look_at_keys(page: Page, files: list[Path]) -> None:
    keys = page.get_by_role("region", name="Primary keys")
    for file in files:
        expect(keys.get_by_text(file.stem, exact=True)).to_be_visible()
    go_on(page, "Foreign keys")
    relations = page.get_by_role("region", name="Foreign keys").get_by_role("listitem")
    expect(relations.first).to_be_visible()
    diagram = page.get_by_role("region", name="Diagram")
    for file in files:
        expect(diagram.get_by_text(file.stem, exact=True)).to_be_visible()
    go_on(page, "Data treatment")


def treat(page: Page, about: Database) -> None:
    choose_table(page, about.original)
    table = page.get_by_role("region", name=about.original, exact=True)
    table.get_by_role("switch", name="Original data").press("Space")
    chosen = page.get_by_role("region", name="Tables").get_by_role("listitem").filter(has_text=about.original)
    expect(chosen.get_by_role("img", name="Original data")).to_be_visible()
    go_on(page, "Synth settings")


def set_up(page: Page, name: str, about: Database) -> None:
    page.get_by_label("Name", exact=False).first.fill(f"Synthetic {name}")
    page.get_by_role("radio", name=re.compile("^Small")).click()
    page.get_by_role("button", name=re.compile("^Tabular model")).click()
    epochs = page.get_by_label("Maximum number of epochs")
    epochs.fill("2")
    expect(page.get_by_label("Learning rate", exact=True)).to_be_hidden()
    page.get_by_role("switch", name="Adaptive learning rate").press("Space")
    expect(page.get_by_label("Learning rate", exact=True)).to_be_visible()
    page.get_by_role("switch", name="Adaptive learning rate").press("Space")
    wait_for_checks(page)
    if about.has_roots:
        page.get_by_role("button", name="Repair the problems first.").click()
        page.get_by_role("button", name="Allow several root tables").click()
        page.get_by_role("link", name="5. Synth settings").click()
        wait_for_checks(page)
    cost = page.get_by_role("region", name="Complexity assessment")
    expect(cost.get_by_text("Estimated time")).to_be_visible(timeout=60_000)


def start(page: Page) -> None:
    page.get_by_role("button", name="Create …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name=re.compile("^Built-in storage"))).to_be_checked()
    expect(dialog.get_by_role("radio", name="PostgreSQL")).to_be_disabled()
    dialog.get_by_role("button", name="Create synthetic data").click()
    expect(page.get_by_role("dialog", name="Timeline")).to_be_visible()


def watch(page: Page) -> None:
    """Look on; somewhere on the way the page is loaded again."""
    timeline = page.get_by_role("dialog", name="Timeline")
    expect(timeline.get_by_role("button", name="Cancel it")).to_be_visible()
    page.reload()
    expect(timeline.get_by_role("listitem")).to_have_count(len(STEPS))
    results = timeline.get_by_role("button", name="See the results")
    expect(results).to_be_visible(timeout=LONG)
    for step, words in zip(timeline.get_by_role("listitem").all(), STEPS, strict=True):
        expect(step).to_contain_text(words)
        expect(step).to_contain_text("done")
    expect(timeline.get_by_text("Best validation loss")).to_be_visible()
    results.click()
    expect(timeline).to_be_hidden()


def look_at_results(page: Page, about: Database) -> None:
    page.get_by_role("tab", name="Certificate").click()
    expect(page.get_by_text("Everything that was declared holds in the written files")).to_be_visible()
    page.get_by_role("tab", name="Original and synthetic").click()
    expect(page.get_by_role("img", name=re.compile("^Distribution of")).first).to_be_visible()
    page.get_by_role("tab", name="Data", exact=True).click()
    page.get_by_role("combobox", name="Table").click()
    page.get_by_role("option", name=f"{about.original} *").click()
    expect(page.get_by_text("Original data: copied unchanged from the source.")).to_be_visible()
    report = page.get_by_role("link", name="Report").get_attribute("href")
    answer = page.context.request.get(str(report))
    assert answer.ok
    assert answer.body().startswith(b"%PDF-")


def download(page: Page, folder: Path) -> dict[str, Rows]:
    """Take all five formats; they say the same. Gives the tables."""
    page.get_by_role("button", name="Download", exact=True).click()
    dialog = page.get_by_role("dialog", name=re.compile("^Download "))
    found = {}
    for ending, words in {
        "csv": "CSV",
        "tsv": "TSV",
        "xlsx": "Excel (xlsx)",
        "ods": "OpenDocument (ods)",
        "parquet": "Parquet",
    }.items():
        with page.expect_download(timeout=120_000) as waiting:
            dialog.get_by_role("button", name=f"Download as {words}").click()
        file = folder / waiting.value.suggested_filename
        waiting.value.save_as(file)
        found[ending] = read(file, ending)
    page.keyboard.press("Escape")
    texts = found.pop("csv")
    for ending, tables in found.items():
        assert {name: len(rows) for name, rows in tables.items()} == {
            name: len(rows) for name, rows in texts.items()
        }, ending
        for name, rows in tables.items():
            assert rows == texts[name], (ending, name)
    return texts


def draw(page: Page, name: str, about: Database) -> None:
    """A second execution: rows of one kind from the model that is there, which takes no training."""
    table, column, value = about.asked
    executions = page.get_by_role("complementary").get_by_role("region", name="Executions")
    executions.get_by_role("button", name="New").click()
    dialog = page.get_by_role("dialog", name="New execution")
    dialog.get_by_role("radio", name="Draw from a stored model").click()
    dialog.get_by_label("Name", exact=True).fill("further rows")
    dialog.get_by_label(f"Rows of {table}").fill("150")
    dialog.get_by_role("button", name="Conditions").click()
    dialog.get_by_role("button", name="Add a condition").click()
    condition = dialog.get_by_role("group", name="Condition 1")
    condition.get_by_label("Column").click()
    page.get_by_role("option", name=column, exact=True).click()
    condition.get_by_label("Value").fill(value)
    dialog.get_by_label("Seed").fill("5")
    dialog.get_by_role("button", name="Start").click()
    timeline = page.get_by_role("dialog", name="Timeline")
    timeline.get_by_role("button", name="See the results").click(timeout=LONG)
    expect(page.get_by_text("Measured when its model was trained.").first).to_be_visible()
    drawn = parse_qs(urlsplit(page.url).query)["execution"][0]
    answer = page.context.request.get(f"/api/v1/executions/{drawn}/preview?table={table}&limit=500").json()
    assert answer["total"] == 150
    place = answer["columns"].index(column)
    assert {row[place] for row in answer["rows"]} == {value}
    executions.get_by_role("button", name="Compare scores").click()
    compared = page.get_by_role("dialog", name="Compare scores")
    expect(compared.get_by_text("further rows").first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Syntheses").first.click()
    row = page.get_by_role("row").filter(has_text=f"Synthetic {name}")
    expect(row).to_contain_text("Succeeded")


def go_on(page: Page, to: str) -> None:
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("heading", name=to, exact=True)).to_be_visible()


# What was downloaded, as texts


def read(file: Path, ending: str) -> dict[str, Rows]:
    """Read a download with what others made, not with what wrote it."""
    if ending == "xlsx":
        book = openpyxl.load_workbook(file, read_only=True)
        sheets = {sheet.title: [list(row) for row in sheet.values] for sheet in book.worksheets}
        return {name: [[plain(cell) for cell in row] for row in rows] for name, rows in sheets.items()}
    if ending == "ods":
        return read_ods(file)
    with zipfile.ZipFile(file) as packed:
        contents = {Path(name).stem: packed.read(name) for name in packed.namelist() if name.endswith(ending)}
    if ending == "parquet":
        frames = {name: pq.read_table(io.BytesIO(content)) for name, content in contents.items()}
        return {
            name: [frame.column_names, *([plain(cell) for cell in row.values()] for row in frame.to_pylist())]
            for name, frame in frames.items()
        }
    delimiter = "\t" if ending == "tsv" else ","
    return {name: read_csv(content.decode(), delimiter) for name, content in contents.items()}


def read_ods(file: Path) -> dict[str, Rows]:
    """Read a workbook by the words of OpenDocument 1.3, part 3: repeated rows and cells, typed values."""
    table, office = (f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("table", "office"))
    with zipfile.ZipFile(file) as packed:
        body = ET.fromstring(packed.read("content.xml"))
    tables: dict[str, Rows] = {}
    for sheet in body.iter(f"{table}table"):
        rows = tables[sheet.get(f"{table}name", "")] = []
        for line in sheet.iter(f"{table}table-row"):
            cells: list[str] = []
            for cell in line.iter(f"{table}table-cell"):
                values = [cell.get(f"{office}{kind}") for kind in ("value", "date-value", "boolean-value")]
                said = next((one for one in values if one is not None), "\n".join(cell.itertext()))
                cells += [plain(said.replace("T", " ") if cell.get(f"{office}date-value") else said)] * int(
                    cell.get(f"{table}number-columns-repeated", "1")
                )
            rows += [cells] * int(line.get(f"{table}number-rows-repeated", "1"))
    return tables


def read_csv(text: str, delimiter: str) -> Rows:
    header, *rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    return [header, *([plain(cell) for cell in row] for row in rows)]


def plain(cell: object) -> str:
    """Write a cell as every format could have it: numbers with 15 digits, days and moments by ISO 8601."""
    if cell is None or cell == "" or (isinstance(cell, float) and pd.isna(cell)):
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell)
    if re.fullmatch(r"0\d+", text):  # a code: its zeros are part of it
        return text
    try:
        return f"{float(text):.15g}"
    except ValueError:
        return text.replace("T00:00:00", "")
