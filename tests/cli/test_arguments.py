"""The command line is split into what a command takes and what sets fields."""

from __future__ import annotations

import pytest

from kinsynth.cli.arguments import TOP_LEVEL, read_rows, split_arguments
from kinsynth.errors import UserError
from kinsynth.settings.fields import fields


def test_fields_are_told_from_options() -> None:
    """A dot makes a field; its value follows after a space or an equals sign, wherever it stands."""
    words = ["--training.max_epochs", "5", "run", "a.yaml", "--output", "out", '--tables."a.b".include=no']
    split = split_arguments(words)
    assert split.command == ("run", "a.yaml", "--output", "out")
    assert split.settings == {"training.max_epochs": "5", 'tables."a.b".include': "no"}


def test_values_keep_their_signs() -> None:
    """An equals sign or a minus inside a value stays; an empty value is a value."""
    words = ["--tables.t.columns.c.minimum", "-5", "--source.null_values=a=b", "--name="]
    assert split_arguments(words).settings == {
        "tables.t.columns.c.minimum": "-5",
        "source.null_values": "a=b",
        "name": "",
    }


def test_everything_after_two_dashes_belongs_to_the_command() -> None:
    """A file may be called like an option."""
    assert split_arguments(["check", "--", "--a.b"]).command == ("check", "--", "--a.b")


@pytest.mark.parametrize("words", [["run", "--a.b"], ["run", "--a.b", "--output", "x"]])
def test_a_field_without_value_is_refused(words: list[str]) -> None:
    """The next option is not taken for a value."""
    with pytest.raises(UserError) as caught:
        split_arguments(words)
    assert caught.value.code == "command.value_missing"
    assert caught.value.where == "--a.b"


def test_top_level_fields_are_options() -> None:
    """Every field that stands at the top of the document is known without a dot; the version is fixed."""
    assert set(TOP_LEVEL) == {field.path for field in fields() if "." not in field.path} - {"version"}


@pytest.mark.parametrize("count", ["players", "players=", "=5", "players=x", "players=-1", "players=1.5"])
def test_wrong_rows_are_refused(count: str) -> None:
    """A pair is a name and a whole number, nothing else."""
    with pytest.raises(UserError) as caught:
        read_rows([count])
    assert caught.value.code == "command.rows"


def test_rows_of_tables_with_odd_names() -> None:
    """The last equals sign counts."""
    assert read_rows(["a=b=3", "c d=4,000"]) == {"a=b": 3, "c d": 4000}
