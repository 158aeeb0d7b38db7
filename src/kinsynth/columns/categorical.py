"""Categories: one token for each kept value, or two (group, then member) where there are very many.

Groups are runs of kept values, of equal size unless something is known of what goes together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Part, Rows, Uniforms, Values
from kinsynth.columns.detect import is_text
from kinsynth.columns.invention import Invention, build_invention
from kinsynth.columns.storage import as_array, read_values, write_values
from kinsynth.encoded import IntArray, SubColumn
from kinsynth.errors import SettingsError
from kinsynth.privacy.protection import count_roots, has_few_roots, share_of_roots
from kinsynth.schema.table import TextFormat
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

Replacement = Literal["resample", "label", "drop", "invent"]
MISSING, OTHER, FIRST = 0, 1, 2
ONE_TOKEN = 1_000
_TRIED = 512
MADE_SHARE, MADE_TEXTS, MADE_LENGTH = 0.1, 50, 3.0
_TUPLES = ("texts", "rows", "refused", "untold", "unmade", "ends")


@dataclass(frozen=True)
class CategoricalCodec:
    """Codes of categories: 0 missing, 1 other (protected or unseen), then the kept values.

    Attributes:
        storage: Arrow type of the values.
        texts: Kept values, as texts.
        rows: Rows that hold each kept value: what a protected value is resampled from.
        missing: Whether missing values are generated.
        other: What other values become: ``resample``, ``label``, ``drop`` or ``invent``.
        other_drawn: Whether the model may draw the code of other values.
        label: Text of other values.
        refused: Places of kept values that are never drawn.
        other_told: Whether enough roots hold other values for what goes with them to be told.
        untold: Places of kept values that too few roots hold for what goes with them to be told.
        ends: For each group the place behind its last kept value; empty for groups of equal size.
        invention: How texts are made up for other values: of ``invent``.
        unmade: Texts that are not made up.

    Guarantees:
        Decoding gives kept values, the label, made-up texts and missing values only. No text
        that is made up is a kept value.
    """

    kind: ClassVar[str] = "categorical"
    storage: str
    texts: tuple[str, ...]
    rows: tuple[int, ...]
    missing: bool
    other: Replacement
    other_drawn: bool = False
    label: str = ""
    refused: tuple[int, ...] = ()
    other_told: bool = False
    untold: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    invention: Invention | None = None
    unmade: tuple[str, ...] = ()

    @cached_property
    def kept(self) -> pa.Array:
        """The kept values."""
        return read_values(list(self.texts), self.storage)

    @property
    def group(self) -> int | None:
        """Members of the largest group, or None for one token."""
        return int(np.diff(self._starts).max()) if len(self.texts) > ONE_TOKEN else None

    @cached_property
    def _starts(self) -> Rows:
        """Place of the first value of each group, and behind the last one."""
        equal = range(0, len(self.texts), math.isqrt(len(self.texts)) + 1)
        return np.array((0, *self.ends) if self.ends else (*equal, len(self.texts)), dtype=np.int64)

    def _groups(self, place_R: NDArray[np.integer[Any]]) -> Rows:
        """Give the group of each place."""
        return np.searchsorted(self._starts, place_R, side="right") - 1

    @property
    def sub_columns(self) -> tuple[SubColumn, ...]:
        """One token, or group and member."""
        whole = FIRST + (len(self.texts) if self.group is None else len(self._starts) - 1)
        forbidden_K = np.zeros(whole, dtype=bool)
        forbidden_K[[MISSING, OTHER]] = not self.missing, not self.other_drawn
        if self.group is None:
            forbidden_K[[FIRST + place for place in self.refused]] = True
        tokens = (SubColumn(0, whole, forbidden_K=forbidden_K),)
        return tokens if self.group is None else (*tokens, SubColumn(0, self.group))

    @property
    def draws(self) -> int:
        """One: which kept value replaces an other one."""
        return 1

    def encode(self, values: Values) -> IntArray:
        """Turn values into codes."""
        array = as_array(values[0])
        found = pc.index_in(array, value_set=self.kept).fill_null(-1).to_numpy().astype(np.int32)
        code_R = np.where(found < 0, OTHER if self.other != "drop" else MISSING, found + FIRST)
        code_R = np.where(array.is_null().to_numpy(zero_copy_only=False), MISSING, code_R)
        if self.group is None:
            return code_R[:, None].astype(np.int32)
        place_R = self._groups(np.maximum(found, 0))
        member_R = np.where(found < 0, 0, found - self._starts[place_R])
        group_R = np.where(found < 0, code_R, place_R + FIRST)
        return np.stack([group_R, member_R], axis=1).astype(np.int32)

    def is_told(self, codes_RC: IntArray) -> NDArray[np.bool_]:
        """Tell for which rows enough roots hold the value for what goes with it to be told, shape (R,)."""
        told_R: NDArray[np.bool_] = (codes_RC[:, 0] != OTHER) | self.other_told
        return told_R & ~np.isin(self.places(codes_RC), self.untold)

    def told_codes(self) -> NDArray[np.bool_]:
        """Tell for each code of the first token whether enough roots hold it for that to be told, shape (K,).

        A group is told where one of its values is.
        """
        told_V = ~np.isin(np.arange(len(self.texts)), self.untold)
        group_V = np.arange(len(told_V)) if self.group is None else self._groups(np.arange(len(told_V)))
        told_K = np.isin(np.arange(self.sub_columns[0].cardinality), group_V[told_V] + FIRST)
        told_K[[MISSING, OTHER]] = True, self.other_told
        return told_K

    def code_shares(self) -> NDArray[np.float64]:
        """Give the share of rows that hold each code of the first token, shape (K,).

        NaN for codes that are not told, or not those of kept values.
        """
        place_V = np.arange(len(self.texts))
        group_V = place_V if self.group is None else self._groups(place_V)
        rows_K = np.bincount(FIRST + group_V, self.rows, self.sub_columns[0].cardinality)
        known_K = self.told_codes() & (np.arange(len(rows_K)) >= FIRST)
        return np.where(known_K, rows_K / max(1.0, rows_K.sum()), np.nan)

    def stands_alone(self, code: int) -> bool:
        """Tell whether a code of the first token stands for one kept value, which enough roots hold."""
        return self.group is None and code - FIRST not in self.untold

    def decode(self, codes_RC: IntArray, uniform_RD: NDArray[Any]) -> Values:
        """Turn codes into values."""
        code_R, place_R = codes_RC[:, 0], self.places(codes_RC)
        loose_R = self.undecided(codes_RC)
        place_R[loose_R] = self._resampled(uniform_RD[loose_R, 0])
        null_R = (place_R < 0) | ((code_R < FIRST) & ~loose_R)
        taken = pc.take(self.kept, pa.array(np.where(null_R, 0, place_R), mask=null_R))
        if self.other == "label":
            taken = pc.if_else(pa.array(code_R == OTHER), read_values([self.label], self.storage)[0], taken)
        if self.invention is not None:
            taken = self._with_made(taken, (code_R == OTHER) | (loose_R & null_R), uniform_RD)
        return (taken,)

    def _with_made(self, taken: pa.Array, made_R: NDArray[np.bool_], uniform_RD: NDArray[Any]) -> pa.Array:
        """Write made-up texts over values; where none could be made up, the value stays."""
        assert self.invention is not None, "a codec that makes texts up"
        texts = pc.cast(self.invention.draw(uniform_RD[made_R, 0], self._avoided), taken.type)
        place_R = np.cumsum(made_R) - 1
        return pc.coalesce(pc.take(texts, pa.array(place_R, mask=~made_R)), taken)

    @property
    def makes_texts(self) -> bool:
        """Whether texts can be made up that are neither kept nor among those that are not to be made."""
        if self.invention is None:
            return False
        tried = self.invention.draw(np.linspace(0, 1, _TRIED, endpoint=False), self._avoided)
        return bool(tried.null_count == 0)

    @cached_property
    def _avoided(self) -> pa.Array:
        return pa.array([*self.texts, *self.unmade], pa.string())

    def undecided(self, codes_RC: IntArray) -> NDArray[np.bool_]:
        """Tell for which rows decoding needs uniforms: a value is drawn or made up for them, shape (R,)."""
        code_R = codes_RC[:, 0]
        loose_R: NDArray[np.bool_] = (code_R == MISSING) & (not self.missing)
        if self.other in ("resample", "invent"):
            loose_R |= code_R == OTHER
        if self.refused:
            loose_R |= np.isin(self.places(codes_RC), self.refused)
        return loose_R

    def places(self, codes_RC: IntArray) -> Rows:
        """Give the place of each row's kept value, shape (R,); negative where there is none."""
        if self.group is None:
            return codes_RC[:, 0].astype(np.int64) - FIRST
        group_R = codes_RC[:, 0].astype(np.int64) - FIRST
        here_R = np.maximum(group_R, 0)
        place_R = self._starts[here_R] + codes_RC[:, 1] % np.diff(self._starts)[here_R]
        return np.where(group_R < 0, group_R, place_R)

    def arranged(self, order: Sequence[int], ends: Sequence[int]) -> Self:
        """Put the kept values in another order, cut into groups.

        Args:
            order: Place of each kept value so far, in the new order.
            ends: Place behind the last value of each group in the new order; no group is empty.
        """
        place_V = np.argsort(np.asarray(order, dtype=np.int64))
        refused, untold = (tuple(sorted(place_V[list(one)].tolist())) for one in (self.refused, self.untold))
        texts, rows = tuple(self.texts[one] for one in order), tuple(self.rows[one] for one in order)
        return replace(self, texts=texts, rows=rows, refused=refused, untold=untold, ends=tuple(ends))

    def all_codes(self) -> IntArray:
        """Give every combination of codes, the last token counted fastest, shape (combinations, tokens)."""
        sizes = [sub.cardinality for sub in self.sub_columns]
        return np.indices(sizes).reshape(len(sizes), -1).T.astype(np.int32)

    def _resampled(self, uniform_R: Uniforms) -> Rows:
        weights = np.array(self.rows, dtype=np.int64)
        weights[list(self.refused)] = 0
        if not weights.any():
            return np.full(len(uniform_R), -1)
        ends = np.cumsum(weights)
        place_R: Rows = np.searchsorted(ends, uniform_R * ends[-1], side="right")
        return place_R

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        return {
            "kind": self.kind,
            "storage": self.storage,
            "texts": list(self.texts),
            "rows": list(self.rows),
            "missing": self.missing,
            "other": self.other,
            "other_drawn": self.other_drawn,
            "label": self.label,
            "refused": list(self.refused),
            "other_told": self.other_told,
            "untold": list(self.untold),
            "ends": list(self.ends),
            "invention": None if self.invention is None else self.invention.to_json(),
            "unmade": list(self.unmade),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CategoricalCodec:
        """Make a codec of ``to_json``'s document."""
        fields = {key: value for key, value in document.items() if key != "kind"}
        tuples = {name: tuple(fields.get(name, ())) for name in _TUPLES}
        made = fields.get("invention")
        return cls(**{**fields, **tuples, "invention": None if made is None else Invention.from_json(made)})


def build_categorical(
    part: Part, settings: Column, protection: Protection, text: TextFormat | None = None
) -> CategoricalCodec:
    """Keep the values that enough root rows hold and that the settings do not forbid."""
    minimum = settings.rare_minimum or protection.rare_minimum
    values = part.values[0]
    distinct, code_P = _distinct(values)
    roots_D = count_roots(code_P, part.roots, codes=len(distinct))
    rows_D = np.bincount(code_P[code_P >= 0], part.rows[code_P >= 0], len(distinct)).astype(np.int64)
    common_D = roots_D >= minimum
    if settings.rare_share:
        common_D &= share_of_roots(code_P, part.roots, codes=len(distinct)) >= settings.rare_share
    never_D = _named(distinct, settings.never, text)
    kept_D = common_D & ~never_D
    if common_D.any() and not kept_D.any() and settings.missing == "impute":
        raise SettingsError(
            "treatment.nothing_left",
            f"never names all {len(distinct)} values that could be generated; expected at least one left.",
            where="never",
            remedy="Remove a value from the list.",
        )
    if settings.rare_replacement == "label":
        _check_label(settings.rare_label, str(distinct.type))
    rare_D = ~common_D & ~never_D
    rare = bool(rare_D.any())
    other_P = (code_P >= 0) & ~np.append(kept_D, True)[code_P]
    null = bool(values.null_count) or (rare and settings.rare_replacement == "drop")
    invention = None
    if _is_made_up(settings, distinct.filter(pa.array(rare_D)), rows_D[rare_D].sum() / max(rows_D.sum(), 1)):
        rare_P = np.append(rare_D, False)[code_P]
        texts = pc.cast(values.filter(pa.array(rare_P)), pa.string())
        kept = pc.cast(distinct.filter(pa.array(kept_D)), pa.string())
        invention = build_invention(texts, part.roots[rare_P], minimum=minimum, avoid=kept)
    other = _replacement(settings, invention)
    return CategoricalCodec(
        storage=str(distinct.type),
        texts=tuple(write_values(distinct.filter(pa.array(kept_D)))),
        rows=tuple(rows_D[kept_D].tolist()),
        missing=(null and settings.missing == "reproduce") or not (kept_D.any() or invention),
        other=other,
        other_told=not has_few_roots(other_P, part.roots, minimum=minimum),
        other_drawn=rare and other in ("label", "invent"),
        label=settings.rare_label if other == "label" else "",
        invention=invention,
        unmade=settings.never if invention else (),
    )


def _replacement(settings: Column, invention: Invention | None) -> Replacement:
    """Give what becomes of other values: where nothing can be made up, a kept value is drawn."""
    match settings.rare_replacement:
        case "auto" | "invent":
            return "resample" if invention is None else "invent"
        case chosen:
            return chosen


def _is_made_up(settings: Column, rare: pa.Array, share: float) -> bool:
    """Tell whether texts are made up for rare ones: asked for, or many rows hold one of many long texts.

    A rare code without letters becomes a frequent one, for a made-up one is not on any list, but where most
    rows hold a rare one (post codes): of these hardly anything but the few frequent ones would be left.

    Args:
        settings: Treatment of the column.
        rare: The rare values.
        share: Share of the present rows that hold one.

    Raises:
        SettingsError: ``treatment.rare_invention``, the column holds no texts.
    """
    chosen, texts = settings.rare_replacement, is_text(rare.type)
    if chosen == "invent" and not texts:
        raise SettingsError(
            "treatment.rare_invention",
            f"Texts cannot be made up in a column of storage type {rare.type}.",
            where="rare_replacement",
            remedy="Choose another rare_replacement.",
        )
    if chosen != "auto" or not texts or share <= MADE_SHARE or len(rare) < MADE_TEXTS:
        return chosen == "invent"
    rare = pc.cast(rare, pa.string())
    lettered = pc.mean(pc.cast(pc.match_substring_regex(rare, r"\p{L}"), pa.float64())).as_py()
    return bool(pc.mean(pc.utf8_length(rare)).as_py() >= MADE_LENGTH and (lettered > 1 / 2 or share > 1 / 2))


def _check_label(label: str, storage: str) -> None:
    try:
        read_values([label], storage)
    except pa.ArrowInvalid as error:
        raise SettingsError(
            "treatment.rare_label",
            f"rare_label={label} is no value of the column's storage type {storage}.",
            where="rare_label",
            remedy="Choose a label of that type, or another rare_replacement.",
        ) from error


def _distinct(values: pa.Array) -> tuple[pa.Array, Rows]:
    """Give the distinct values in order and the position of each value among them; -1 for missing."""
    distinct = pc.unique(values.drop_null())
    distinct = distinct.take(pc.sort_indices(distinct))
    code_P = pc.index_in(values, value_set=distinct).fill_null(-1).to_numpy().astype(np.int64)
    return distinct, np.where(values.is_null().to_numpy(zero_copy_only=False), -1, code_P)


def _named(distinct: pa.Array, names: tuple[str, ...], text: TextFormat | None) -> NDArray[np.bool_]:
    """Say which values the settings name, by the text a source writes for them."""
    written = np.array(write_values(distinct), dtype=object)
    wanted = set(names)
    if text is not None and pa.types.is_boolean(distinct.type):
        wanted |= {"true"} if text.true in names else set()
        wanted |= {"false"} if text.false in names else set()
    return np.array([value in wanted for value in written], dtype=bool)
