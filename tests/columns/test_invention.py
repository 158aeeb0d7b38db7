"""Inventions: what is kept of rare texts, and what is made up in their place."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kinsynth.columns.base import count_part
from kinsynth.columns.domain import state_domains
from kinsynth.columns.invention import BACK, BEGIN, END, ORDER, Invention, build_invention
from kinsynth.columns.registry import codec_from_json, column_type
from kinsynth.columns.restriction import without_missing, without_values
from kinsynth.errors import SettingsError
from kinsynth.privacy.protection import OwnRoots
from kinsynth.settings.privacy import Protection
from kinsynth.settings.treatment import Column

MINIMUM = 5
PIECES = ("ka", "lo", "mer", "ton", "vi", "son", "bre", "ash", "ny", "du")
NONE = pa.array([], pa.string())


def names(rows, seed=0):
    """Make names of two to four pieces: many, most of them once."""
    rng = np.random.default_rng(seed)
    return [
        "".join(rng.choice(PIECES, rng.integers(2, 5), p=np.arange(10, 0, -1) / 55)).capitalize()
        for _ in range(rows)
    ]


def build(array, roots=None, kind="categorical", **settings):
    made = column_type(kind)
    owner = np.arange(len(array)) if roots is None else roots
    return made.build(made.fit((array,), owner), Column(**settings), Protection())


def uniforms(rows, seed=1):
    return np.random.default_rng(seed).random(rows)


def steps_by_hand(texts, roots):
    """Count by plain loops which roots hold each step of each context."""
    held = {}
    for text, root in zip(texts, roots, strict=True):
        signs = BEGIN + text + END
        for place in range(1, len(signs)):
            for order in range(min(ORDER, place) + 1):
                held.setdefault((signs[place - order : place], signs[place]), set()).add(root)
    return held


@pytest.mark.parametrize("owned", [True, False])
def test_every_step_is_held_by_enough_roots_and_none_of_these_is_left_out(owned):
    texts = sorted(set(names(600)))
    rows = np.random.default_rng(2).integers(1, 5, len(texts))
    if owned:
        roots = np.repeat(np.arange(len(texts)) % 150, rows)
        texts = np.repeat(texts, rows).tolist()
        counted, owner = count_part((pa.array(texts),), roots), roots.tolist()
        made = build_invention(counted.values[0], counted.roots, minimum=MINIMUM)
    else:
        made = build_invention(pa.array(texts), OwnRoots(rows), minimum=MINIMUM)
        texts, owner = np.repeat(texts, rows).tolist(), range(int(rows.sum()))
    held = steps_by_hand(texts, owner)
    told = {
        (context, sign): number
        for context, signs, numbers in made.steps
        for sign, number in zip(signs, numbers, strict=True)
    }
    assert {sign for _, sign in told} >= {END, BACK}
    contexts = {context for context, _ in told}
    for (context, sign), number in told.items():
        if sign != BACK:
            assert number == len(held[context, sign]) >= MINIMUM
            continue
        lost = [one for (before, follows), one in held.items() if before == context and len(one) < MINIMUM]
        assert number == len(set().union(*lost)) >= MINIMUM
    common = {step for step, one in held.items() if len(one) >= MINIMUM and step[0] in contexts}
    assert common == {step for step in told if step[1] != BACK}
    longest = Counter()
    for text, root in zip(texts, owner, strict=True):
        longest[root] = max(longest[root], len(text))
    assert sorted(longest.values())[-MINIMUM] == made.longest


def test_nothing_that_one_root_alone_holds_is_in_the_document_or_comes_out():
    texts = [*names(2_000), *["Zq\u00e9xx" * 4] * 400]
    roots = [*range(2_000), *[9_999] * 400]
    codec = build(pa.array(texts), np.array(roots))
    assert codec.other == "invent"
    document = json.dumps(codec.to_json(), ensure_ascii=False)
    assert "\u00e9" not in document
    assert "xx" not in document
    rare = {text for text, count in Counter(texts).items() if count < MINIMUM}
    assert not any(f'"{text}"' in document for text in rare)
    made = codec.invention.draw(uniforms(5_000), NONE).to_pylist()
    assert not any(set(text) & set("Zq\u00e9x") for text in made)


def test_lengths_and_letters_are_those_of_rare_texts():
    rng = np.random.default_rng(0)
    syllables = [one + two for one in "bdfgklmnprstvz" for two in ("a", "e", "io", "u", "an", "er", "ov")]
    chance_S = 1 / np.arange(1, len(syllables) + 1)
    values = [
        "".join(rng.choice(syllables, rng.integers(2, 5), p=chance_S / chance_S.sum())) for _ in range(20_000)
    ]
    codec = build(pa.array(values))
    texts = [text for text in values if text not in set(codec.texts)]
    made = codec.invention.draw(uniforms(len(texts)), pa.array(codec.texts)).drop_null().to_pylist()
    assert len(made) > 0.999 * len(texts)
    assert not set(made) & set(codec.texts)
    measures = {
        "length": (lambda text: [len(text)], 0.04),
        "first letter": (lambda text: [text[0]], 0.02),
        "letters": (list, 0.02),
        "end": (lambda text: [text[-2:]], 0.04),
        "triples": (lambda text: [text[place : place + 3] for place in range(len(text) - 2)], 0.03),
    }
    for name, (measure, most) in measures.items():
        before, after = (
            Counter(one for text in several for one in measure(text)) for several in (texts, made)
        )
        whole = sum(before.values()), sum(after.values())
        apart = sum(abs(before[one] / whole[0] - after[one] / whole[1]) for one in before | after) / 2
        chance = math.sqrt(len(before | after) / (2 * math.pi) * (1 / len(texts) + 1 / len(made)))
        assert apart < chance + most, name  # three characters say nearly, not exactly, what follows


def test_the_same_numbers_give_the_same_texts_whatever_stands_beside_them():
    made = build(pa.array(names(3_000))).invention
    uniform_R = uniforms(3_000)
    whole = made.draw(uniform_R, NONE)
    assert made.draw(uniform_R[::-1], NONE).to_pylist() == whole.to_pylist()[::-1]
    assert Invention.from_json(json.loads(json.dumps(made.to_json()))).draw(uniform_R, NONE).equals(whole)
    assert len(made.draw(uniform_R[:0], NONE)) == 0
    assert len(set(whole.to_pylist())) > 500


def test_long_texts_are_spelled_to_their_end_from_one_number():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(PIECES, 40)) for _ in range(400)]
    made = build_invention(pa.array(texts), np.arange(400), minimum=MINIMUM).draw(uniforms(500), NONE)
    assert made.null_count == 0
    words = Counter(word for text in made.to_pylist() for word in text[-40:].split()[1:])
    assert max(words[one] for one in PIECES) < 3 * min(words[one] for one in PIECES)
    tails = [text[-40:] for text in made.to_pylist() if len(text) > 80]
    assert len(tails) > 50
    assert len(set(tails)) == len(tails)  # the 53 bits of one number alone would be used up before


def test_signs_of_many_scripts_are_spelled():
    rng = np.random.default_rng(0)
    texts = [
        "".join(rng.choice(list("\u6771\u4eac\u5927\u962a\U0001f600\u00e9\u0301"), 4)) for _ in range(900)
    ]
    made = build_invention(pa.array(texts), np.arange(900), minimum=MINIMUM).draw(uniforms(300), NONE)
    assert {sign for text in made.to_pylist() for sign in text} == {sign for text in texts for sign in text}


@pytest.mark.parametrize("few", [0, 4])
def test_of_too_few_roots_nothing_is_made_up(few):
    assert build_invention(pa.array(names(few), pa.string()), np.arange(few), minimum=MINIMUM) is None
    texts = pa.array(names(300))
    assert build_invention(texts, np.arange(300) % 4, minimum=MINIMUM) is None


def test_texts_with_signs_of_the_chain_are_left_out():
    texts = [*names(300), *[f"ka{BACK}{name}{BEGIN}" for name in names(300)], *["ka\x00"] * 20]
    plain, mixed = (
        build_invention(pa.array(some), np.arange(len(some)), minimum=MINIMUM)
        for some in (texts[:300], texts)
    )
    assert plain == mixed


TEXTS = names(2_000)
CASES = {
    "many rare texts": (TEXTS, {}, "invent"),
    "asked not to": (TEXTS, {"rare_replacement": "resample"}, "resample"),
    "label": (TEXTS, {"rare_replacement": "label"}, "label"),
    "few rows are rare": ([*["Anna"] * 15_000, *TEXTS], {}, "resample"),
    "few texts": ([f"town {place % 40}" for place in range(2_000)], {"rare_minimum": 60}, "resample"),
    "short texts": ([f"{place:02x}" for place in range(200)] * 2, {}, "resample"),
    "no letters": ([*[f"{place:04d}" for place in range(400)], *["7000"] * 400], {}, "resample"),
    "no letters, most rows": ([*[f"{place:04d}" for place in range(401)], *["7000"] * 400], {}, "invent"),
    "short texts, asked to": (
        [f"{place:02x}" for place in range(200)] * 2,
        {"rare_replacement": "invent"},
        "invent",
    ),
    "nothing in common": (
        [chr(200 + place) * 3 for place in range(400)],
        {"rare_replacement": "invent"},
        "resample",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_texts_are_made_up_where_it_helps_or_is_asked_for(case):
    texts, settings, expected = CASES[case]
    assert build(pa.array(texts), **settings).other == expected


def test_codes_of_one_length_keep_it():
    codes = [f"{place * 7919 % 100_000:05d}" for place in range(1_000)]
    made = build_invention(pa.array(codes), np.arange(1_000), minimum=MINIMUM).draw(uniforms(5_000), NONE)
    assert (pc.utf8_length(made).to_numpy() == 5).mean() > 0.999
    assert len(pc.unique(made)) > 500


def test_numbers_are_never_made_up():
    numbers = pa.array(np.arange(3_000) // 2)
    assert build(numbers).other == "resample"
    with pytest.raises(SettingsError, match=r"treatment\.rare_invention"):
        build(numbers, rare_replacement="invent")


def decoded(codec, rows=4_000):
    codes = np.random.default_rng(3).integers(0, codec.sub_columns[0].cardinality, rows).astype(np.int32)
    codes[: rows // 2] = 1
    whole = np.stack([codes, *[codes * 0] * (len(codec.sub_columns) - 1)], axis=1)
    return codec.decode(whole, uniforms(rows)[:, None])[0]


def test_the_model_draws_the_code_and_no_list_is_stated():
    values = pa.array([*TEXTS, *["Anna"] * 60, None])
    codec = build(values)
    again = codec_from_json(json.loads(json.dumps(codec.to_json())))
    assert decoded(again).equals(decoded(codec))
    assert not codec.sub_columns[0].forbidden_K[1]
    assert codec.encode((pa.array(["Anna", "unheard of", None]),))[:, 0].tolist()[1:] == [1, 0]
    assert state_domains(codec) == ((),)
    assert decoded(codec)[:2_000].null_count == 0
    assert not {*codec.texts} & {*decoded(codec)[:2_000].to_pylist()}


def test_without_a_kept_value_all_texts_are_made_up():
    codec = build(pa.array([text for text, number in Counter(names(4_000)).items() if number < MINIMUM]))
    assert (codec.texts, codec.other, codec.missing) == ((), "invent", False)
    assert decoded(codec).null_count == 0
    assert decoded(without_missing(build(pa.array([*sorted({*TEXTS}), None] * 4)))).null_count == 0


def test_a_text_that_is_kept_out_is_not_made_up():
    codec = build(pa.array([*TEXTS, *["Anna"] * 60]))
    common = [text for text, _ in Counter(decoded(codec)[:2_000].to_pylist()).most_common(20)]
    less = without_values(codec, pa.array([*common, "Anna"]))
    found = set(decoded(less).to_pylist())
    assert not found & {*common, "Anna"}
    assert len(found) > 100
    asked = build(pa.array([*TEXTS, *["Anna"] * 60]), never=tuple(common))
    assert not set(decoded(asked).to_pylist()) & {*common}


def test_nothing_is_left_where_all_that_can_be_made_up_is_kept_out():
    texts = [*["Anna"] * 2, *["Anno"] * 3, *["Anni"] * 3]
    codec = build(pa.array(texts), rare_replacement="invent")
    made = {*decoded(codec).to_pylist()}
    assert {sign for text in made for sign in text} <= {*"Anna"}
    without_values(codec, pa.array(["Anna"]))
    with pytest.raises(SettingsError, match=r"treatment\.nothing_left"):
        without_values(codec, pa.array(["Ann", "Anna", "Anno", "Anni", *made]))
