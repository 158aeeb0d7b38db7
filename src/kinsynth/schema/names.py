"""What the name of a column or table says: its words, and whether it sounds like a key, a date or a place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

_BORDER = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|[\W_]+"
)


def _vocabulary(text: str) -> frozenset[str]:
    """Give the words of a text."""
    return frozenset(text.split())


_KEY = _vocabulary("id ids key identifier uuid guid oid uid pk fk code number no num nr ref")
_IRREGULAR = {"ids": "id", "people": "person", "children": "child", "staffs": "staff", "indices": "index"}
_STRONG = frozenset(("id", "identifier", "uuid", "guid", "oid", "uid", "pk", "key"))
_ENDS_IN_ID = _vocabulary(
    "paid unpaid prepaid valid invalid grid solid fluid rapid covid void avoid said raid hybrid android acid "
    "lipid plaid orchid humid liquid rigid vivid lucid timid droid steroid thyroid "
    "monkey turkey hockey donkey whiskey jockey"
)
_GLUED = re.compile(r"(?<=[a-z]{2})(id|uuid|guid|key)$")
_SEQUENCE = _vocabulary(
    "seq sequence line position pos step index idx item order number no nr num rank visit year month "
    "week day date time version part row session period stint"
)
_MOMENT = _vocabulary(
    "date day time datetime timestamp dt birth born created updated issued dob when from until start end "
    "data datum fecha jour"
)
_LATITUDE = frozenset(("lat", "latitude"))
_LONGITUDE = frozenset(("lon", "lng", "long", "longitude"))
_PHONE = frozenset(("phone", "fax", "tel", "telephone", "mobile", "telefono", "telefon"))
_POSTAL = frozenset(("zip", "zipcode", "postal", "postcode", "postalcode", "plz", "iban", "ssn"))
_LABEL = _vocabulary("name title label description text caption comment nome nom surname firstname lastname")
_SELF = _vocabulary(
    "parent manager boss supervisor superior report lead leader head chief mentor predecessor previous "
    "prev next successor mother father root replaced replace reply referrer referred origin ancestor "
    "upper spouse partner"
)


@dataclass(frozen=True)
class Words:
    """The words of a name, in lower case and singular."""

    parts: tuple[str, ...]

    @property
    def is_identifier(self) -> bool:
        """Whether the name ends, or begins, like that of an identifier."""
        return bool(self.parts) and (self.parts[-1] in _KEY or self.parts[0] in _STRONG)

    @property
    def is_strong_identifier(self) -> bool:
        """Whether the name holds a word used for identifiers only."""
        return bool(self.parts) and (self.parts[-1] in _STRONG or self.parts[0] in _STRONG)

    @property
    def is_sequence(self) -> bool:
        """Whether the name sounds like a place in a sequence."""
        return bool(self.parts) and self.parts[-1] in _SEQUENCE

    @property
    def is_moment(self) -> bool:
        """Whether the name sounds like a date or time."""
        return any(part in _MOMENT for part in self.parts)

    @property
    def is_label(self) -> bool:
        """Whether the name sounds like words for people to read."""
        return bool(self.parts) and self.parts[-1] in _LABEL

    @property
    def is_phone(self) -> bool:
        """Whether the name sounds like a phone number."""
        return any(part in _PHONE for part in self.parts)

    @property
    def is_number_in_name_only(self) -> bool:
        """Whether digits under this name are a code and no quantity: postal codes, phone numbers."""
        return self.is_phone or any(part in _POSTAL for part in self.parts)

    @property
    def is_self_reference(self) -> bool:
        """Whether the name sounds like a row of the same table."""
        return any(part in _SELF for part in self.parts)

    @property
    def without_latitude(self) -> tuple[str, ...] | None:
        """The other words of a name for a latitude; None for other names."""
        return self._without(_LATITUDE)

    @property
    def without_longitude(self) -> tuple[str, ...] | None:
        """The other words of a name for a longitude; None for other names."""
        return self._without(_LONGITUDE)

    @property
    def subject(self) -> tuple[str, ...]:
        """The words without those that only say that it is a key."""
        return tuple(part for part in self.parts if part not in _KEY)

    def _without(self, chosen: frozenset[str]) -> tuple[str, ...] | None:
        """Give the words but the chosen ones; None when there is not exactly one of these."""
        rest = tuple(part for part in self.parts if part not in chosen)
        return rest if len(rest) == len(self.parts) - 1 else None


@cache
def words(name: str) -> Words:
    """Split a name into its words.

    >>> words("customerIDs").parts
    ('customer', 'id')
    >>> words("Film_Categories").parts
    ('film', 'category')
    """
    parts: list[str] = []
    for part in filter(None, _BORDER.split(name)):
        word = part.lower()
        parts += (word if word in _ENDS_IN_ID else _GLUED.sub(r" \1", word)).split()
    return Words(tuple(singular(part) for part in parts))


def unprefixed(names: Sequence[str]) -> dict[str, str]:
    """Give names without the first word, where all of a table's columns share it.

    >>> unprefixed(["c_custkey", "c_name"])
    {'c_custkey': 'cust key', 'c_name': 'name'}
    """
    firsts = {words(name).parts[:1] for name in names}
    shared = len(names) > 1 and len(firsts) == 1 and all(len(words(name).parts) > 1 for name in names)
    return {name: " ".join(words(name).parts[1:]) if shared else name for name in names}


def singular(word: str) -> str:
    """Give the singular of an English plural; other words stay.

    >>> [singular(word) for word in ("categories", "boxes", "orders", "address", "status", "bus")]
    ['category', 'box', 'order', 'address', 'status', 'bus']
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
