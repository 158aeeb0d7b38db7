"""The document as text: what is written is what is read, and mistakes are all named without their values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinsynth.errors import SettingsError
from kinsynth.settings import Synthesis
from kinsynth.settings.document import MAX_BYTES, MAX_DEPTH, dump, load, override, parse, read_yaml

ODD_NAMES = ["on", "no", "null", "12:30", "a.b", 'with "quotes"', "-1", "é", "a: b #c", " ", "{x}", "~"]


def reload(document: Synthesis, *, comments: bool = True) -> Synthesis:
    return parse(read_yaml(dump(document, comments=comments), where="document"))


def fail(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        parse(read_yaml(text, where="document"))
    return caught.value


def test_load_reads_a_file_and_overrides_it(tmp_path: Path) -> None:
    path = tmp_path / "synthesis.yaml"
    path.write_text("name: bank\ntraining: {max_epochs: 7, model_size: small}\n")
    document = load(path, {"training.max_epochs": "9"})
    assert (document.name, document.training.max_epochs, document.training.model_size) == ("bank", 9, "small")


def test_plain_words_stay_text_until_their_field_reads_them() -> None:
    column = (
        parse(
            read_yaml(
                "tables: {t: {columns: {on: {"
                "never: [no, 007, 2020-01-01, 12:30, 1e3, 'null'], minimum: 010}}}}",
                where="document",
            )
        )
        .tables["t"]
        .columns["on"]
    )
    assert column.never == ("no", "007", "2020-01-01", "12:30", "1e3", "null")
    assert column.minimum == "010"


@pytest.mark.parametrize("comments", [True, False])
def test_dump_and_load_give_an_equal_document(comments: bool) -> None:
    document = parse(
        {
            "generation": {"rows": {"a.b": 5}, "seed": 2**62},
            "tables": {
                name: {
                    "primary_key": [name],
                    "foreign_keys": [
                        {"columns": [name], "table": "t", "orphans": "drop"},
                        {"columns": ["x", name], "table": "u"},
                    ],
                    "columns": {name: {"type": "numeric", "never": ODD_NAMES, "rare_label": "x"}},
                }
                for name in ODD_NAMES
            },
        }
    )
    assert reload(document, comments=comments) == document


@settings(deadline=None)
@given(
    st.text(max_size=20), st.floats(min_value=1e-12, max_value=1), st.lists(st.text(max_size=8), max_size=4)
)
def test_dump_and_load_keep_any_text_and_number(text: str, rate: float, texts: list[str]) -> None:
    document = parse(
        {
            "training": {"learning_rate": rate},
            "tables": {text: {"columns": {text: {"never": texts, "format": text}}}},
        }
    )
    assert reload(document) == document


def test_dump_keeps_the_order_of_fields_and_tables() -> None:
    document = parse({"tables": {"z": {}, "a": {}}})
    lines = dump(document, comments=False).splitlines()
    assert next(line for line in lines if line[:1].isalpha()) == "version: 1"
    assert lines.index("  z:") < lines.index("  a:")


def test_dump_leaves_out_the_options_of_other_types() -> None:
    text = dump(parse({"tables": {"t": {"columns": {"c": {"type": "date"}}}}}), comments=False)
    assert "granularity" in text
    assert "rare_share" not in text


def test_secrets_are_never_written() -> None:
    document = parse({"destination": {"password": "hunter2"}})
    assert "hunter2" not in dump(document)
    assert "hunter2" not in repr(document)


def test_all_mistakes_are_named_at_once_without_their_values() -> None:
    error = fail(
        "traning: {}\n"
        "training: {max_epochs: 0, model_size: giant, epochs: 5}\n"
        "tables: {t: {foreign_keys: [{table: u}], columns: {c: {never: [[secret]], bounding_box: [1, 2]}}}}\n"
        "generation: {rows: {t: many}}\n"
    )
    found = {(finding.code, finding.where) for finding in error.findings}
    assert found >= {
        ("settings.unknown_field", "traning"),
        ("settings.value", "training.max_epochs"),
        ("settings.value", "training.model_size"),
        ("settings.unknown_field", "training.epochs"),
        ("settings.value", "tables.t.foreign_keys.0.columns"),
        ("settings.value", "tables.t.columns.c.never.0"),
        ("settings.value", "generation.rows.t"),
    }
    said = str(error) + "".join(map(str, error.findings))
    assert not [word for word in ("giant", "secret", "many") if word in said]
    assert "Did you mean training?" in said
    assert "at least 1" in said


def test_infinite_and_missing_numbers_are_refused() -> None:
    assert fail("generation: {temperature: .inf}").where == "generation.temperature"
    assert fail("generation: {temperature: nan}").where == "generation.temperature"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2", "settings.syntax"),
        ("tables: {t: {include: true, include: false}}", "settings.syntax"),
        ("- a", "settings.syntax"),
        ("text", "settings.syntax"),
        ("x: [", "settings.syntax"),
        ("? [a]\n: 1", "settings.syntax"),
        ("a: 1\n---\nb: 2", "settings.syntax"),
        ("a: *b", "settings.syntax"),
        ("x: \x00", "settings.syntax"),
        ("[" * (MAX_DEPTH + 1), "settings.too_large"),
        ("a: &a [*a]", "settings.too_large"),
        ("version: 2", "settings.version"),
    ],
)
def test_texts_that_are_no_document_are_refused(text: str, code: str) -> None:
    assert fail(text).code == code


def test_a_document_that_grows_when_references_are_written_out_is_refused() -> None:
    levels = ["a0: &a0 [x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert fail("\n".join(levels)).code == "settings.too_large"


def test_references_that_stay_small_are_read() -> None:
    document = parse(
        read_yaml("tables: {a: {columns: &c {x: {type: date}}}, b: {columns: *c}}", where="document")
    )
    assert document.tables["a"] == document.tables["b"]


def test_tags_make_nothing() -> None:
    assert fail('name: !!python/object/apply:os.system ["echo"]').where == "name"


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"name: caf\xe9")
    (tmp_path / "large").write_bytes(b"#" * (MAX_BYTES + 1))
    codes = []
    for name in ("missing", "latin", "large"):
        with pytest.raises(SettingsError) as caught:
            load(tmp_path / name)
        codes.append(caught.value.code)
    assert codes == ["settings.unreadable", "settings.unreadable", "settings.too_large"]


def test_an_empty_document_has_every_default() -> None:
    assert parse(read_yaml("", where="document")) == Synthesis()


OVERRIDES = {
    "tables.players.columns.weight.type": "numeric",
    'tables."a.b".primary_key': "x, y",
    'tables."a.b".order_by': "",
    "tables.players.foreign_keys": "[{columns: [a], table: b}]",
    "generation.rows.players": "100",
    "tables.players.columns.weight.never": "[1, null, 'b,c']",
    "tables.players.columns.weight.minimum": "null",
    "source.paths": "a.csv",
    "training.training_steps": "null",
}


def test_overrides_are_typed_by_their_field() -> None:
    with pytest.raises(SettingsError):
        override(Synthesis(), OVERRIDES)
    allowed = {**OVERRIDES, "tables.players.columns.weight.never": "[1, 'null', 'b,c']"}
    document = override(Synthesis(), allowed)
    players = document.tables["players"]
    assert players.columns["weight"].type == "numeric"
    assert players.columns["weight"].never == ("1", "null", "b,c")
    assert players.columns["weight"].minimum is None
    assert players.foreign_keys is not None
    assert players.foreign_keys[0].table == "b"
    assert document.tables["a.b"].primary_key == ("x", "y")
    assert document.tables["a.b"].order_by == ""
    assert document.generation.rows == {"players": 100}
    assert document.source.paths == ("a.csv",)


def test_an_entry_of_a_list_can_be_overridden() -> None:
    document = parse({"tables": {"t": {"foreign_keys": [{"columns": ["a"], "table": "u"}]}}})
    changed = override(document, {"tables.t.foreign_keys.0.orphans": "drop"}).tables["t"].foreign_keys
    assert changed is not None
    assert (changed[0].columns, changed[0].orphans) == (("a",), "drop")


def test_an_override_leaves_the_rest_as_it_was() -> None:
    document = parse({"name": "x", "destination": {"password": "p"}, "tables": {"t": {"include": False}}})
    changed = override(document, {"training.max_epochs": "3"})
    assert changed == document.model_copy(
        update={"training": document.training.model_copy(update={"max_epochs": 3})}
    )


@pytest.mark.parametrize(
    ("path", "text", "code", "said"),
    [
        ("training.max_epoch", "5", "settings.unknown_field", "training.max_epochs"),
        ("traning.max_epochs", "5", "settings.unknown_field", "training"),
        ("tables.t.columns.c.typ", "date", "settings.unknown_field", "tables.t.columns.c.type"),
        ("training", "5", "settings.value", "group"),
        ("tables.t", "5", "settings.unknown_field", "include"),
        ("training.max_epochs.x", "5", "settings.unknown_field", "one value"),
        ("generation.rows.t.x", "5", "settings.unknown_field", "one value"),
        ("training.max_epochs", "zebra", "settings.value", "at least 1"),
        ("training.max_epochs", "[1]", "settings.value", "at least 1"),
        ("tables.t.foreign_keys.0.table", "u", "settings.value", "list"),
        ("tables.t.primary_key", "[a", "settings.syntax", ""),
        ("", "5", "settings.unknown_field", ""),
    ],
)
def test_wrong_overrides_say_what_is_right(path: str, text: str, code: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        override(Synthesis(), {path: text})
    assert caught.value.code == code
    assert said in str(caught.value)
    assert "zebra" not in str(caught.value)
