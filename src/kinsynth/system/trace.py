"""What may be said of an error that nobody expected: the calls that led to it, without its text."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any


def describe_calls(error: BaseException) -> Iterator[str]:
    """Say which calls led to an error, without its text and without any value."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield f"{type(current).__module__}.{type(current).__qualname__}"
        frames: Any = traceback.walk_tb(current.__traceback__)
        yield from (f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}" for frame, line in frames)
        current = current.__cause__ or current.__context__
