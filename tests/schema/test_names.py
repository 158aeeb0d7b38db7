"""What names say."""

from __future__ import annotations

import pytest

from kinsynth.schema.names import words


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("customer_id", ("customer", "id")),
        ("customerID", ("customer", "id")),
        ("CustomerIDs", ("customer", "id")),
        ("customerid", ("customer", "id")),
        ("orders", ("order",)),
        ("Film Categories", ("film", "category")),
        ("paid", ("paid",)),
        ("amount2", ("amount", "2")),
        ("città_id", ("città", "id")),
        ("", ()),
    ],
)
def test_names_are_split(name: str, parts: tuple[str, ...]) -> None:
    assert words(name).parts == parts


def test_what_names_sound_like() -> None:
    assert words("id").is_identifier
    assert words("id_customer").is_identifier
    assert words("country_code").is_identifier
    assert not words("country_code").is_strong_identifier
    assert not words("valid").is_identifier
    assert words("reports_to").is_self_reference
    assert words("home_lat").without_latitude == ("home",)
    assert words("plate").without_latitude is None
