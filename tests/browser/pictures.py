"""Takes a picture of every page and of the dialogs on the way, light and dark: of a synthesised hospital.

scripts/screenshots [folder]
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from serving import People, running_server
from test_every_page import PAGES
from visits import ANA, Installation, Visit, change, choose_table

SIZE = {"width": 1360, "height": 850}
MOST_BYTES = 150_000
SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "sample_database.py"
CHANGES = {"name": "Hospital", "training": {"max_epochs": 40, "threads": 1}}


def open_download(page: Page) -> None:
    page.get_by_role("button", name="Download", exact=True).click()


def open_drawing(page: Page) -> None:
    panel = page.get_by_role("complementary").get_by_role("region", name="Executions")
    panel.get_by_role("button", name="New").click()
    dialog = page.get_by_role("dialog", name="New execution")
    dialog.get_by_role("radio", name="Draw from a stored model").click()
    dialog.get_by_role("button", name="Conditions").click()
    dialog.get_by_role("button", name="Add a condition").click()
    condition = dialog.get_by_role("group", name="Condition 1")
    condition.get_by_label("Condition", exact=True).select_option("In a share")
    condition.get_by_label("Column").click()
    page.get_by_role("option", name="smoker", exact=True).click()
    condition.get_by_label("Value").fill("yes")
    condition.get_by_label("Share").fill("50")
    dialog.get_by_role("button", name="Add a condition").scroll_into_view_if_needed()


def open_destination(page: Page) -> None:
    page.get_by_role("button", name="Create …").click(timeout=60_000)


def show_advanced(page: Page) -> None:
    page.get_by_role("button", name="Tabular model").click()
    page.get_by_role("switch", name="Auto-batching").scroll_into_view_if_needed()


def choose_synthesis(page: Page) -> None:
    page.get_by_role("row").nth(1).click()


def show_patients(page: Page) -> None:
    choose_table(page, "patients")


# What is done on a page before its picture is taken
BEFORE = {"data": show_patients, "treatment": show_patients}
FURTHER = {
    "synthesis-download": ("{synthesis}", open_download),
    "synthesis-drawing": ("{synthesis}", open_drawing),
    "destination": ("{synthesis}/configure/settings", open_destination),
    "settings-advanced": ("{synthesis}/configure/settings", show_advanced),
    "syntheses-panel": ("/syntheses", choose_synthesis),
}


def take(page: Page, file: Path) -> None:
    """Keep the picture of a page as it stands."""
    page.wait_for_timeout(700)  # what fades in has done so
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.save(file, "WEBP", quality=82, method=6)
    assert file.stat().st_size <= MOST_BYTES, f"{file.name} is too large"
    sys.stdout.write(f"{file.name}\n")


def name(path: str) -> str:
    """Give the name of a page's picture."""
    known = {"source": "source", "synthesis": "synthesis", "execution": ""}
    return re.sub(r"[^a-z_]+", "-", path.format(**known).replace("tab=", "")).strip("-")


def fill(installation: Installation, place: Path) -> dict[str, str]:
    """Make what is to be seen: a hospital, synthesised."""
    subprocess.run([sys.executable, str(SAMPLE), str(place / "hospital"), "700"], check=True)
    files = {file.name: file.read_bytes() for file in sorted((place / "hospital").glob("*.csv"))}
    made = installation.make(files, CHANGES, name="Hospital")
    with installation.client() as client:
        tables = client.get(made["synthesis"]).raise_for_status().json()["document"]["tables"]
        tables["departments"]["original"] = True
        change(client, made["synthesis"], {"tables": tables})
    return {**made, "execution": installation.finish(made["synthesis"], seconds=900)}


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.webp"):
        old.unlink()
    place = Path(tempfile.mkdtemp())
    with sync_playwright() as driver, running_server(place) as (address, setup, _):
        people = People(address, setup, count=2)
        installation = Installation(address, people, place / "shops")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        given = {"reduced_motion": "reduce", "viewport": SIZE}
        made = fill(installation, place)
        for scheme in ("light", "dark"):
            visits: dict[str | None, Visit] = {}
            for email, path in PAGES:
                if email not in visits:
                    visits[email] = Visit(browser, address, color_scheme=scheme, **given)
                    if email:
                        visits[email].sign_in(email)
                page = visits[email].open(path.format(**made))
                BEFORE.get(path.rsplit("/", 1)[-1], lambda _: None)(page)
                take(page, folder / f"{name(path)}-{scheme}.webp")
            for words, (path, act) in FURTHER.items():
                page = visits[ANA].open(path.format(**made))
                act(page)
                take(page, folder / f"{words}-{scheme}.webp")
            for visit in visits.values():
                visit.close()
        browser.close()
        people.admin.close()
    shutil.rmtree(place)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
