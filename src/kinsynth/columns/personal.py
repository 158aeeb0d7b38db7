"""Find columns that are about a person, by their names and by the form of their cells.

What counts follows the list of identifiers in 45 CFR 164.514(b)(2) (Safe Harbor) and the special categories
of article 9 of the GDPR. It is a proposal: what is personal in a database only its owner knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from kinsynth.columns import forms
from kinsynth.schema.names import words

_SAMPLE = 1_000
_MOST_CHUNKS = 100
_FEWEST = 5
_MOSTLY = 0.9

Phrases = Mapping[tuple[str, ...], str]


def _parts(name: str) -> tuple[str, ...]:
    """Give the words of a name without accents."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return words("".join(letter for letter in plain if not unicodedata.combining(letter))).parts


def _read(text: str) -> Phrases:
    """Read lines of a reason and the names that give it."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        reason, _, names = line.partition(": ")
        found.update({_parts(name.strip()): reason for name in names.split(",")})
    return found


_BY_NAME = _read(
    """
    name of a person: first name, firstname, given name, forename, middle name, last name, lastname, surname
    name of a person: family name, maiden name, full name, fullname, person name, patient name, client name
    name of a person: customer name, employee name, contact name, holder name, user name, username
    name of a person: cognome, vorname, nachname, prenom, apellido
    day of birth: birth, birthday, birthdate, birthyear, dob, nascita, naissance, nacimiento
    day of birth: geburtsdatum, geburtstag
    day of death: death date, date of death, deathdate, dod
    address: street, address, indirizzo, strasse, adresse, direccion, anschrift
    phone number: phone, fax, tel, telephone, mobile, telefono, telefon, cellphone, cellulare, handynummer
    e-mail address: email, e mail, mail address, emailaddress
    official number of a person: ssn, social security, tax id, fiscal code, codice fiscale
    official number of a person: codicefiscale, passport, passport id
    official number of a person: national id, id card, driving licence, driver license, license plate
    official number of a person: licence plate, insurance number, medical record, mrn, nhs number
    official number of a person: steuernummer, personnummer, dni, nif, cpf
    account: iban, bank account, credit card, card number, account holder
    network address: ip, ip address, mac address
    state of health: diagnosis, disease, allergy, disability, blood type, blood group
    state of health: diagnosi, malattia, diagnose, krankheit
    belief or origin: religion, religione, ethnicity, ethnic group, political party, trade union
    belief or origin: sexual orientation
    """
)
# Said of persons only as a whole name, and beside one of the above that things do not have: a shop has a
# name, an address, a phone and a town, too.
_BESIDE = _read(
    """
    name beside personal columns: name, nome, nom, nombre
    place beside personal columns: city, town, village, zip, zipcode, zip code, postal code, postcode, plz
    place beside personal columns: citta, comune, ville, latitude, longitude, lat, lon, lng
    origin beside personal columns: nationality, citizenship, nazionalita, cittadinanza
    """
)
_OF_THINGS_TOO = ("address", "phone number", "network address", "phone numbers", "network addresses")
# Beside these words a name counts or describes what it names.
_COUNTING = frozenset(
    words(
        "is has count rate rating total sum avg mean sent opt price cost model kind required service visit "
        "width length size weight share flag gift"
    ).parts
)


def find_personal(table: pa.Table) -> dict[str, str]:
    """Find the columns of a table that seem to be about a person.

    Args:
        table: Cells as they are in the source: texts, or the types of a source that is typed itself.

    Returns:
        Why, by column, in words a user reads; never a cell.

    >>> find_personal(pa.table({"BirthDate": ["1980-02-01"], "city": ["Ala"], "size": ["3"]}))
    {'BirthDate': 'called like the day of birth', 'city': 'place beside personal columns'}
    >>> find_personal(pa.table({"shop": ["1"], "name": ["Corner"], "city": ["Ala"]}))
    {}
    >>> find_personal(pa.table({"address_id": [1], "national_id": [7]}))
    {'national_id': 'called like the official number of a person'}
    """
    found = {}
    for name in table.column_names:
        values = table.column(name)
        named = "" if pa.types.is_boolean(values.type) else _by_name(name)
        if reason := _by_form(_sample(values)) or named:
            found[name] = reason
    if any(not reason.endswith(_OF_THINGS_TOO) for reason in found.values()):
        beside = {name: _BESIDE.get(_parts(name), "") for name in table.column_names if name not in found}
        found |= {name: reason for name, reason in beside.items() if reason}
    return found


def _by_name(name: str) -> str:
    """Give the reason of the longest phrase in a name; the key of an address is none, an id card is."""
    parts = _parts(name)
    if not _COUNTING.isdisjoint(parts):
        return ""
    is_key = words(name).is_strong_identifier
    for size in range(len(parts), 0, -1):
        for start in range(len(parts) - size + 1):
            phrase = parts[start : start + size]
            if phrase in _BY_NAME and (not is_key or words(" ".join(phrase)).is_strong_identifier):
                return f"called like the {_BY_NAME[phrase]}"
    return ""


def _sample(values: pa.ChunkedArray) -> list[str]:
    """Give some distinct texts of a column, spread over its rows; nothing is copied but these."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return []
    chunks = [chunk for chunk in values.chunks if chunk.null_count < len(chunk)]
    chosen = chunks[:: max(1, len(chunks) // _MOST_CHUNKS)]
    texts: dict[str, None] = {}
    for chunk in chosen:
        filled = np.flatnonzero(chunk.is_valid().to_numpy(zero_copy_only=False))
        most = min(len(filled), _SAMPLE // len(chosen) + 1)
        rows = filled[np.unique(np.linspace(0, len(filled) - 1, most, dtype=np.int64))]
        texts |= dict.fromkeys(chunk.take(pa.array(rows)).to_pylist())
    return [text for text in texts if text]


def _by_form(texts: Sequence[str]) -> str:
    if len(texts) < _FEWEST:
        return ""
    for reason, holds in _FORMS.items():
        if sum(map(holds, texts)) >= _MOSTLY * len(texts) and not (
            reason == "network addresses" and all(map(_like(_VERSION), texts))
        ):
            return f"cells have the form of {reason}"
    return ""


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def is_iban(text: str) -> bool:
    """Tell whether the check digits of a bank account number fit (ISO 13616, modulo 97).

    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    if not re.fullmatch(forms.IBAN, text, re.ASCII):
        return False
    code = text.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in code[4:] + code[:4])) % 97 == 1


def is_card_number(text: str) -> bool:
    """Tell whether digits fit the check digit of payment cards (ISO/IEC 7812-1, annex B).

    >>> is_card_number("4111 1111 1111 1111"), is_card_number("4111 1111 1111 1112")
    (True, False)
    """
    if not re.fullmatch(r"\d{4}([ -]?\d{4}){2}[ -]?\d{1,7}", text, re.ASCII):
        return False
    digits = [int(one) for one in reversed(text) if one.isdigit()]
    return sum(digits[::2] + [sum(divmod(2 * one, 10)) for one in digits[1::2]]) % 10 == 0


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
), strict=True))  # fmt: skip


def is_fiscal_code(text: str) -> bool:
    """Tell whether the last letter of an Italian fiscal code fits (decree of 23 December 1976, article 7).

    >>> is_fiscal_code("RSSMRA85T10A562S"), is_fiscal_code("RSSMRA85T10A562T")
    (True, False)
    """
    code = text.upper()
    if not re.fullmatch(r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", code):
        return False
    even = sum(int(one, 36) - (0 if one.isdigit() else 10) for one in code[1:15:2])
    return (sum(_ODD[one] for one in code[:15:2]) + even) % 26 == ord(code[15]) - ord("A")


_OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_VERSION = r"\d{1,2}(\.\d{1,2}){3}"  # four small numbers are versions rather than addresses
_PHONE = (
    r"\+[1-9]\d{7,14}|\+[1-9]\d{0,2}[ (/-][\d ().\-/]{5,16}\d|00[1-9]\d{0,2}[ (][\d ().\-/]{5,16}\d"
    r"|\(\d{3}\) \d{3}-\d{4}"
)
_FORMS: dict[str, Callable[[str], bool]] = {
    "e-mail addresses": _like(forms.EMAIL),
    "bank account numbers": is_iban,
    "payment card numbers": is_card_number,
    "Italian fiscal codes": is_fiscal_code,
    "US social security numbers": _like(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"),
    "phone numbers": _like(_PHONE),
    "network addresses": _like(rf"{_OCTET}(\.{_OCTET}){{3}}|([0-9A-Fa-f]{{2}}[:-]){{5}}[0-9A-Fa-f]{{2}}"),
}
