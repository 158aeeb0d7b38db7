"""Columns about persons are found by name and form, and other columns are left alone."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

import pyarrow as pa
import pytest

from kinsynth.columns.personal import find_personal, is_card_number, is_fiscal_code, is_iban


def found(**columns: list[object]) -> dict[str, str]:
    return find_personal(pa.table({name: pa.array(cells) for name, cells in columns.items()}))


def iban(chance: random.Random) -> str:
    rest = f"{chance.randrange(10**18):018}"
    check = 98 - int("".join(str(int(letter, 36)) for letter in f"{rest}DE00")) % 97
    return f"DE{check:02}{rest}"


def card(chance: random.Random) -> str:
    rest = f"4{chance.randrange(10**14):014}"
    return next(f"{rest}{digit}" for digit in range(10) if is_card_number(f"{rest}{digit}"))


def fiscal_code(chance: random.Random) -> str:
    rest = f"RSSMRA{chance.randint(10, 99)}T{chance.randint(10, 31)}A{chance.randint(100, 999)}"
    return next(f"{rest}{letter}" for letter in string.ascii_uppercase if is_fiscal_code(f"{rest}{letter}"))


FORMS: dict[str, Callable[[random.Random], str]] = {
    "e-mail addresses": lambda chance: f"a{chance.randrange(999)}@example.org",
    "bank account numbers": iban,
    "payment card numbers": card,
    "US social security numbers": lambda chance: f"{chance.randint(100, 600)}-{chance.randint(10, 99)}-1234",
    "phone numbers": lambda chance: f"+39 0461 {chance.randrange(10**6):06}",
    "Italian fiscal codes": fiscal_code,
    "network addresses": lambda chance: f"10.{chance.randrange(256)}.{chance.randrange(256)}.7",
}


@pytest.mark.parametrize("kind", FORMS)
def test_forms_are_found_whatever_the_column_is_called(kind: str) -> None:
    chance = random.Random(1)
    cells = [*(FORMS[kind](chance) for _ in range(40)), None]
    assert found(x=list(cells)) == {"x": f"cells have the form of {kind}"}
    assert found(x=[*cells[:20], *(f"word {n}" for n in range(20))]) == {}


@pytest.mark.parametrize(
    "cells",
    [
        [f"{n:016}" for n in range(4_000_000, 4_000_400)],  # digits without a check digit
        [f"DE{n:020}" for n in range(400)],
        [f"2021-03-{1 + n % 28:02}" for n in range(400)],
        [f"{n}.{n % 7}.{n % 3}" for n in range(400)],
        [f"10.{n % 7}.{n % 3}.{n % 40}" for n in range(400)],
        [f"+{n}.0012345" for n in range(1, 400)],
        [f"001-{n:07}" for n in range(400)],
        [f"{n:03}-{n % 90 + 10}" for n in range(400)],
        [f"{n}" for n in range(10_000_000, 10_000_400)],
        ["yes", "no"] * 20,
    ],
)
def test_other_codes_are_left_alone(cells: list[str]) -> None:
    assert found(x=list(cells)) == {}


@pytest.mark.parametrize(
    "name",
    ["first_name", "LastName", "customerName", "Cognome", "birth_date", "DOB", "Geburtsdatum", "e-mail",
     "e_mail", "streetAddress", "mobile_phone", "SSN", "codice_fiscale", "PassportNo", "IBAN", "ip_address",
     "diagnosis", "Religion", "national_id", "pr\u00e9nom", "Stra\u00dfe", "passport_id"],
)  # fmt: skip
def test_names_are_understood(name: str) -> None:
    assert found(**{name: ["a", "b"]})[name].startswith("called like the ")


@pytest.mark.parametrize(
    "name",
    ["name", "city", "zip", "title", "amount", "created", "address_id", "customer_id", "product_name",
     "birds", "race", "email_id", "emails_sent_key", "state", "streetcar", "page", "email_count",
     "birth_rate", "PhoneService", "passport_required", "phone_price", "market_cap"],
)  # fmt: skip
def test_names_of_other_things_are_left_alone(name: str) -> None:
    assert found(**{name: ["a", "b"]}) == {}


def test_a_name_and_a_place_count_beside_a_person_only() -> None:
    assert set(found(name=["a"], city=["b"], size=[3])) == set()
    assert set(found(name=["a"], street=["b"], phone=["c"], city=["d"])) == {"street", "phone"}
    assert set(found(email=["a"], product_name=["b"], file_name=["c"])) == {"email"}
    assert set(found(name=["a"], city=["b"], size=[3], born=[1980], birth_date=["1980-02-01"])) == {
        "name",
        "city",
        "birth_date",
    }


def test_cells_are_found_where_most_are_missing() -> None:
    cells = [f"a{n}@example.org" if n % 1_000 == 0 else None for n in range(100_000)]
    assert set(found(x=list(cells))) == {"x"}
    chunks = [[None] * 50, *([f"a{n}@example.org"] for n in range(300)), []]
    table = pa.table({"x": pa.chunked_array(chunks, pa.string())})
    assert set(find_personal(table)) == {"x"}


def test_cells_that_break_the_forms_are_no_error() -> None:
    odd = [
        "AB12CDEF1234\n",
        "GB\u0668\u0662WEST12345698765432",
        "\uff14111111111111111",
        " ",
        "\n",
        "0",
        "+",
        "a@b.c\n",
    ]
    assert found(x=odd * 3) == {}


def test_check_digits_see_a_changed_digit() -> None:
    chance = random.Random(2)
    for _ in range(50):
        right = iban(chance)
        place = chance.randrange(4, len(right))
        wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
        assert is_iban(right)
        assert not is_iban(wrong)
        number = card(chance)
        assert not is_card_number(number[:5] + str((int(number[5]) + 1) % 10) + number[6:])
    assert is_fiscal_code("MRTMTT91D08F205J")
    assert not is_fiscal_code("MRTMTT91D08F205K")
