"""Takes a picture of every page, light and dark, of a running installation with one finished execution.

scripts/screenshots [folder]
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from serving import People, running_server
from test_every_page import PAGES
from visits import Installation, Visit

from shop_database import write_shops

SIZE = {"width": 1360, "height": 850}
MOST_BYTES = 150_000


def take(visit: Visit, path: str, file: Path) -> None:
    """Open a page and keep its picture."""
    visit.open(path)
    visit.page.wait_for_timeout(400)  # what fades in has done so
    with Image.open(io.BytesIO(visit.page.screenshot())) as picture:
        picture.save(file, "WEBP", quality=82, method=6)
    assert file.stat().st_size <= MOST_BYTES, f"{file.name} is too large"


def name(path: str) -> str:
    """Give the name of a page's picture."""
    return path.format(source="source", synthesis="synthesis").strip("/").replace("/", "-")


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp())
    with sync_playwright() as driver, running_server(place) as (address, setup, _):
        people = People(address, setup, count=2)
        write_shops(place / "shops")
        installation = Installation(address, people, place / "shops")
        made = installation.synthesise()
        installation.finish(made["synthesis"])
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            visits: dict[str | None, Visit] = {}
            for email, path in PAGES:
                if email not in visits:
                    visits[email] = Visit(browser, address, color_scheme=scheme, viewport=SIZE)
                    if email:
                        visits[email].sign_in(email)
                take(visits[email], path.format(**made), folder / f"{name(path)}-{scheme}.webp")
                sys.stdout.write(f"{path} {scheme}\n")
            for visit in visits.values():
                visit.close()
        browser.close()
        people.admin.close()
    shutil.rmtree(place)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
