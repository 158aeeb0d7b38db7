"""Inventions: made-up texts in the place of rare ones, character by character from pieces that many hold.

Shape letters: P pairs of text and root, N characters of all texts, T steps, S contexts, R rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kinsynth.columns.base import Rows, Uniforms
from kinsynth.privacy.protection import Roots, count_roots, extremes, group_until_safe

ORDER = 3
TRIES = 32
MOST_PAIRS = 200_000
MOST_CHARACTERS = 4_000_000
BEGIN, END, BACK = "\x02", "\x03", "\x1b"
_CONTROLS = f"[\x00{BEGIN}{END}{BACK}]"
_CHARACTERS_AT_ONCE = 1 << 21
_TRIED = 20_000
_LEAST_TAKEN = 0.25

Signs = NDArray[np.uint32]
Words = NDArray[np.uint64]
Steps = tuple[str, str, tuple[int, ...]]


@dataclass(frozen=True)
class Invention:
    """A chain of characters: what may follow up to three characters, and how often.

    Attributes:
        steps: Each context, the signs that may follow it and the root rows behind each. ``BEGIN`` stands
            before the first character, ``END`` ends a text, ``BACK`` goes on with a context that is shorter
            by one.
        taken: Share of the texts of each length that is taken, so that lengths come out as in the source.
            Where it is one length only, texts end there and not before.

    Guarantees:
        At least ``rare_minimum`` roots hold a text in which each sign follows its context, as many a text
        that is as long as the longest, one as short as the shortest, and as many stand behind each way back
        and each group of lengths. Nothing else of the source is held.
    """

    steps: tuple[Steps, ...]
    taken: tuple[float, ...]

    @property
    def longest(self) -> int:
        """Characters of the longest text."""
        return len(self.taken) - 1

    def draw(self, uniform_R: Uniforms, avoid: pa.Array) -> pa.Array:
        """Make up a text for each uniform; missing where it became one to avoid in every try.

        Args:
            uniform_R: Numbers in [0, 1), shape (R,). Equal numbers give equal texts.
            avoid: Texts not to give.
        """
        step = max(1, _CHARACTERS_AT_ONCE // (self.longest + 1))
        parts = [uniform_R[start : start + step] for start in range(0, max(len(uniform_R), 1), step)]
        return pa.concat_arrays([self._draw(part_R, avoid) for part_R in parts])

    def _draw(self, uniform_R: Uniforms, avoid: pa.Array) -> pa.Array:
        made_R: NDArray[Any] = np.full(len(uniform_R), None, dtype=object)
        open_R = np.arange(len(uniform_R))
        for attempt in range(TRIES):
            seed_R = _mix(_as_words(uniform_R[open_R]), attempt << 32)
            text_R, length_R = self._spell(seed_R)
            good_R = ~pc.is_in(text_R, value_set=avoid).to_numpy(zero_copy_only=False)
            good_R &= length_R <= self.longest
            if attempt < TRIES // 2:
                good_R &= _shares(_mix(seed_R, 0)) < np.array([*self.taken, 0.0])[length_R]
            made_R[open_R[good_R]] = text_R.filter(pa.array(good_R)).to_numpy(zero_copy_only=False)
            open_R = open_R[~good_R]
            if not len(open_R):
                break
        return pa.array(made_R, pa.string())

    def _spell(self, seed_R: Words) -> tuple[pa.Array, Rows]:
        """Spell a text for each seed and tell its length; one that is too long is cut, and has one more."""
        sign_RL = np.zeros((len(seed_R), self.longest + 1), dtype=np.uint32)
        row_R, state_R = np.arange(len(seed_R)), np.full(len(seed_R), self._chain.start)
        length_R, turn = np.zeros(len(seed_R), dtype=np.int64), 0
        while len(row_R):
            turn += 1
            step_R = self._chain.follow(state_R, _mix(seed_R[row_R], turn))
            sign_R, state_R = self._chain.sign_T[step_R], self._chain.next_T[step_R]
            spelled_R = sign_R > 0
            sign_RL[row_R[spelled_R], length_R[row_R[spelled_R]]] = sign_R[spelled_R]
            length_R[row_R[spelled_R]] += 1
            going_R = (state_R >= 0) & (length_R[row_R] <= self.longest - self._one_length)
            row_R, state_R = row_R[going_R], state_R[going_R]
        texts = sign_RL.view(f"<U{self.longest + 1}")[:, 0]
        return pa.array(texts, pa.string()), length_R

    @cached_property
    def _chain(self) -> _Chain:
        """The steps; those of codes of one length without their end, which comes when that is reached."""
        return _Chain.of(tuple(map(_endless, self.steps)) if self._one_length else self.steps)

    @cached_property
    def _one_length(self) -> bool:
        return int(np.count_nonzero(self.taken)) == 1

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON."""
        steps = [[one, signs, list(roots)] for one, signs, roots in self.steps]
        return {"steps": steps, "taken": list(self.taken)}

    @staticmethod
    def from_json(document: dict[str, Any]) -> Invention:
        """Read what ``to_json`` gave."""
        steps = tuple((one, signs, tuple(roots)) for one, signs, roots in document["steps"])
        return Invention(steps, tuple(document["taken"]))


@dataclass(frozen=True, eq=False)
class _Chain:
    """The steps of all contexts behind each other.

    Attributes:
        end_T: Weights up to each step, ascending.
        before_S: Weights before each context's first step.
        weight_S: Weights of each context's steps.
        sign_T: The character of each step; 0 where none is spelled.
        next_T: The context after each step; -1 after the end.
        start: The first context.
    """

    end_T: Rows
    before_S: Rows
    weight_S: Rows
    sign_T: Signs
    next_T: Rows
    start: int

    @staticmethod
    def of(steps: tuple[Steps, ...]) -> _Chain:
        places = {context: place for place, (context, _, _) in enumerate(steps)}
        each = [(context, sign) for context, signs, _ in steps for sign in signs]
        weight_S = np.array([sum(roots) for _, _, roots in steps], dtype=np.int64)
        return _Chain(
            np.cumsum([one for _, _, roots in steps for one in roots]),
            np.cumsum(weight_S) - weight_S,
            weight_S,
            np.array([0 if sign in (END, BACK) else ord(sign) for _, sign in each], dtype=np.uint32),
            np.array([_next(context, sign, places) for context, sign in each], dtype=np.int64),
            places[BEGIN],
        )

    def follow(self, state_R: Rows, word_R: Words) -> Rows:
        """Choose a step of each row's context."""
        wanted_R = self.before_S[state_R] + (_shares(word_R) * self.weight_S[state_R]).astype(np.int64)
        step_R: Rows = np.searchsorted(self.end_T, wanted_R, side="right")
        return step_R


def _endless(step: Steps) -> Steps:
    """Leave out the end where a text may go on."""
    context, signs, roots = step
    going = [place for place, sign in enumerate(signs) if sign != END]
    return (
        (context, "".join(signs[one] for one in going), tuple(roots[one] for one in going)) if going else step
    )


def _next(context: str, sign: str, places: dict[str, int]) -> int:
    """Give the place of the longest context that ends what was spelled; -1 after the end."""
    if sign == END:
        return -1
    spelled = context[1:] if sign == BACK else (context + sign)[-ORDER:]
    while spelled not in places:
        spelled = spelled[1:]
    return places[spelled]


def build_invention(
    texts: pa.Array, roots: Roots, *, minimum: int, avoid: pa.Array | None = None
) -> Invention | None:
    """Learn from rare texts how texts of their kind are spelled.

    Args:
        texts: Text of each pair of text and root, shape (P,).
        roots: Root of each pair.
        minimum: Roots that must hold a text with a step.
        avoid: Texts that will not be made up.

    Returns:
        None where too few roots have in common how texts begin and end.
    """
    texts, roots = _some(texts, roots)
    if not len(texts):
        return None
    sign_N, pair_N, place_N = _spread(texts)
    length_P = np.bincount(pair_N, minlength=len(texts)) - 2
    followed = place_N > 0
    context_N, found = np.zeros(len(sign_N), dtype=np.int64), [""]
    steps: list[Steps] = []
    for order in range(ORDER + 1):
        if order:
            context_N, found = _longer(context_N, found, sign_N, (place_N >= order) & followed)
        here = (context_N >= 0) & followed
        steps += _count(found, context_N[here], sign_N[here], pair_N[here], roots, minimum=minimum)
    signs = {context: signs for context, signs, _ in steps}
    if BEGIN not in signs or END not in signs[""]:
        return None
    shortest, longest = (int(end) for end in extremes(length_P, roots, minimum=minimum))
    made = Invention(_reached(steps), (1.0,) * (longest + 1))
    tried = made.draw(np.arange(_TRIED) / _TRIED, pa.array([], pa.string()) if avoid is None else avoid)
    held_P = (length_P >= shortest) & (length_P <= longest)
    taken = _taken(length_P[held_P], roots[held_P], pc.utf8_length(tried), longest, minimum)
    return replace(made, taken=(*(0.0 for _ in range(shortest)), *taken[shortest:]))


def _some(texts: pa.Array, roots: Roots) -> tuple[pa.Array, Roots]:
    """Leave out texts with signs that have a meaning here, and keep some of very many."""
    plain_P = ~pc.match_substring_regex(texts, _CONTROLS).to_numpy(zero_copy_only=False)
    texts, roots = texts.filter(pa.array(plain_P)), roots[plain_P]
    characters = int(pc.sum(pc.utf8_length(texts)).as_py() or 0)
    step = max(1, -(-len(texts) // MOST_PAIRS), -(-characters // MOST_CHARACTERS))
    return texts.take(pa.array(np.arange(0, len(texts), step))), roots[::step]


def _spread(texts: pa.Array) -> tuple[Rows, Rows, Rows]:
    """Give all signs behind each other, with the pair and the place in its text of each."""
    written = [f"{BEGIN}{text}{END}" for text in texts.to_pylist()]
    length_P = np.array([len(text) for text in written], dtype=np.int64)
    sign_N = np.frombuffer("".join(written).encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    pair_N = np.repeat(np.arange(len(written)), length_P)
    return sign_N, pair_N, np.arange(len(sign_N)) - np.repeat(np.cumsum(length_P) - length_P, length_P)


def _longer(
    context_N: Rows, found: list[str], sign_N: Rows, fits_N: NDArray[np.bool_]
) -> tuple[Rows, list[str]]:
    """Number the contexts that are longer by the sign before them; -1 where none fits or the shorter is gone.

    Gives for each place the number of the signs before it, and the signs of each number.
    """
    before_N, last_N = np.roll(context_N, 1), np.roll(sign_N, 1)
    known_N = fits_N & (before_N >= 0)
    base = int(sign_N.max(initial=0)) + 1
    key_K, key_N = np.unique(before_N[known_N] * base + last_N[known_N], return_inverse=True)
    longer_N = np.full(len(sign_N), -1, dtype=np.int64)
    longer_N[known_N] = key_N
    return longer_N, [found[key // base] + chr(key % base) for key in key_K.tolist()]


def _count(
    found: list[str], context_N: Rows, sign_N: Rows, pair_N: Rows, roots: Roots, *, minimum: int
) -> list[Steps]:
    """Keep what follows each context in the texts of enough roots, and what goes back where enough do."""
    base = int(sign_N.max(initial=0)) + 1
    kept_T, roots_T, lost_N = _count_roots(context_N * base + sign_N, pair_N, roots, minimum)
    back_T, back_roots_T, _ = _count_roots(context_N[lost_N], pair_N[lost_N], roots, minimum)
    ways: dict[int, list[tuple[str, int]]] = {}
    for key, held in zip(kept_T.tolist(), roots_T.tolist(), strict=True):
        ways.setdefault(key // base, []).append((chr(key % base), held))
    for key, held in zip(back_T.tolist(), back_roots_T.tolist(), strict=True):
        if key in ways and found[key] not in ("", BEGIN):
            ways[key].append((BACK, held))
    return [
        (found[key], "".join(sign for sign, _ in several), tuple(held for _, held in several))
        for key, several in ways.items()
    ]


def _count_roots(
    key_N: Rows, pair_N: Rows, roots: Roots, minimum: int
) -> tuple[Rows, Rows, NDArray[np.bool_]]:
    """Give the keys that enough roots hold, their roots, and which places have another key."""
    key_K, code_N = np.unique(key_N, return_inverse=True)
    pairs = int(pair_N.max(initial=0)) + 1
    once = np.unique(code_N * pairs + pair_N)  # a text may repeat a piece
    roots_K = count_roots(once // pairs, roots[once % pairs], codes=len(key_K))
    kept_K = roots_K >= minimum
    return key_K[kept_K], roots_K[kept_K], ~kept_K[code_N]


def _reached(steps: list[Steps]) -> tuple[Steps, ...]:
    """Keep the contexts that spelling comes to."""
    places = {context: place for place, (context, _, _) in enumerate(steps)}
    seen, waiting = set[int](), [places[BEGIN]]
    while waiting:
        place = waiting.pop()
        if place >= 0 and place not in seen:
            seen.add(place)
            waiting += [_next(steps[place][0], sign, places) for sign in steps[place][1]]
    return tuple(steps[place] for place in sorted(seen))


def _taken(length_P: Rows, roots: Roots, made: pa.Array, longest: int, minimum: int) -> tuple[float, ...]:
    """Give the share of the texts of each length to take: the source's share by that of what is made up.

    Lengths that too few roots hold are one with their neighbours. Of all that is made up a quarter is taken.
    """
    group_L = group_until_safe(np.arange(longest + 1), length_P, roots, minimum=minimum)
    groups = int(group_L[-1]) + 1
    wanted_G = count_roots(group_L[length_P], roots, codes=groups)
    made_G = np.bincount(group_L[made.drop_null().to_numpy().astype(np.int64)], minlength=groups)
    share_G = wanted_G / max(wanted_G.sum(), 1) / np.maximum(made_G / max(made_G.sum(), 1), 1 / _TRIED)
    taken_G = np.minimum(share_G * max(1 / max(share_G.max(), 1.0), _LEAST_TAKEN), 1.0)
    return tuple(taken_G[group_L].tolist())


def _shares(word_R: Words) -> NDArray[np.float64]:
    """Give numbers in [0, 1) of 53 bits."""
    share_R: NDArray[np.float64] = (word_R >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return share_R


def _as_words(uniform_R: Uniforms) -> Words:
    words: Words = (uniform_R * 2.0**53).astype(np.uint64)
    return words


def _mix(word_R: Words, turn: int) -> Words:
    """Give a number that looks random for each word and turn: the 53 bits of one uniform spell long texts.

    Sources:
        Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: SplitMix64.
    """
    step = np.uint64((turn + 1) * 0x9E3779B97F4A7C15 & (1 << 64) - 1)
    word_R = word_R * np.uint64(0xD1342543DE82EF95) + step
    word_R = (word_R ^ (word_R >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word_R = (word_R ^ (word_R >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word_R ^ (word_R >> np.uint64(31))
