"""A step of building the wheel: it is not built without the web application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("src/kinsynth/server/static/index.html")


class WebHook(BuildHookInterface):  # type: ignore[type-arg]
    """Looks for the built files; an editable install serves those of the clone, whenever they are built."""

    def initialize(self, version: str, _build_data: dict[str, Any]) -> None:
        """Refuse a wheel that would have no pages.

        Raises:
            FileNotFoundError: ``web/`` is there, and was not built.
        """
        if version != "editable" and not (Path(self.root) / BUILT).is_file():
            raise FileNotFoundError(f"{BUILT} is missing: build the web application first, with scripts/web.")
