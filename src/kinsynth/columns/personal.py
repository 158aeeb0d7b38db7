"""Find columns that are about a person, by their names and by the form of their cells.

What counts follows the list of identifiers in 45 CFR 164.514(b)(2) (Safe Harbor) and the special categories
of article 9 of the GDPR. It is a proposal: what is personal in a database only its owner knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from kinsynth.columns import forms
from kinsynth.schema.names import words

_SAMPLE = 1_000
_FEWEST = 5
_MOSTLY = 0.9

Phrases = Mapping[tuple[str, ...], str]


def _read(text: str) -> Phrases:
    """Read lines of a reason and the names that give it."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        reason, _, names = line.partition(": ")
        found.update({words(name.strip()).parts: reason for name in names.split(",")})
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
    phone number: phone, fax, telephone, mobile, telefono, telefon, cellphone, cellulare, handynummer
    e-mail address: email, e mail, mail address, emailaddress
    official number of a person: ssn, social security, tax id, fiscal code, codice fiscale, passport
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
# Said of persons only beside one of the above: a shop has a name and a town, too.
_BESIDE = _read(
    """
    name beside personal columns: name, nome, nom, nombre
    place beside personal columns: city, town, village, zip, zipcode, postal code, postcode, plz, cap
    place beside personal columns: citta, comune, ort, ville, latitude, longitude, lat, lon, lng
    origin beside personal columns: nationality, citizenship, nazionalita, cittadinanza
    """
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
        if reason := _by_form(_sample(table.column(name))) or _by_name(name, _BY_NAME):
            found[name] = reason
    if found:
        beside = {name: _by_name(name, _BESIDE) for name in table.column_names if name not in found}
        found |= {name: reason for name, reason in beside.items() if reason}
    return found


def _by_name(name: str, phrases: Phrases) -> str:
    """Give the reason of the longest phrase in a name; the key of an address is none, an id card is."""
    said = words(name)
    for size in range(len(said.parts), 0, -1):
        for start in range(len(said.parts) - size + 1):
            phrase = said.parts[start : start + size]
            if phrase in phrases and (
                not said.is_strong_identifier or words(" ".join(phrase)).is_strong_identifier
            ):
                return phrases[phrase] if phrases is _BESIDE else f"called like the {phrases[phrase]}"
    return ""


def _sample(values: pa.ChunkedArray) -> list[str]:
    """Give some distinct texts of a column, spread over its rows."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return []
    rows = np.unique(np.linspace(0, len(values) - 1, min(_SAMPLE, len(values)), dtype=np.int64))
    return [text for text in dict.fromkeys(values.take(pa.array(rows)).to_pylist()) if text]


def _by_form(texts: Sequence[str]) -> str:
    if len(texts) < _FEWEST:
        return ""
    for reason, holds in _FORMS.items():
        if sum(map(holds, texts)) >= _MOSTLY * len(texts):
            return f"cells have the form of {reason}"
    return ""


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text) is not None


def is_iban(text: str) -> bool:
    """Tell whether the check digits of a bank account number fit (ISO 13616, modulo 97).

    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    if not re.search(forms.IBAN, text):
        return False
    code = text.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in code[4:] + code[:4])) % 97 == 1


def is_card_number(text: str) -> bool:
    """Tell whether digits fit the check digit of payment cards (ISO/IEC 7812-1, annex B).

    >>> is_card_number("4111 1111 1111 1111"), is_card_number("4111 1111 1111 1112")
    (True, False)
    """
    if not re.fullmatch(r"\d{4}([ -]?\d{4}){2}[ -]?\d{1,7}", text):
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
_FORMS: dict[str, Callable[[str], bool]] = {
    "e-mail addresses": _like(forms.EMAIL),
    "bank account numbers": is_iban,
    "payment card numbers": is_card_number,
    "Italian fiscal codes": is_fiscal_code,
    "US social security numbers": _like(r"^(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}$"),
    "phone numbers": _like(r"^(\+|00)[1-9]\d{0,2}[ (./-][\d ().\-/]{5,16}\d$"),
    "network addresses": _like(rf"^({_OCTET}(\.{_OCTET}){{3}}|([0-9A-Fa-f]{{2}}[:-]){{5}}[0-9A-Fa-f]{{2}})$"),
}
