"""Files whose content is not what they are called, and messages of all kinds: a code, and never a cell."""

from __future__ import annotations

from pathlib import Path

import pytest
from odd_reader import Reader, listing
from workbook_bytes import (
    encrypted_workbook,
    xlsb,
    xlsx,
)

from kinsynth.errors import SourceError

ROWS = "<row><c><v>1</v></c></row>"
TEXT = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'


# F20, F21 wrong and compressed kinds


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("t.csv", b"%PDF-1.7\n", "source.wrong_type"),
        ("t.csv", b"<!DOCTYPE html><html>", "source.wrong_type"),
        ("t.csv", b"\xef\xbb\xbf  <HTML>", "source.wrong_type"),
        ("t.csv", b"PK\x03\x04xxxx", "source.wrong_type"),
        ("t.csv", b"PAR1xxxx", "source.wrong_type"),
        ("t.xlsx", b"a,b\n1,2\n", "source.wrong_type"),
        ("t.xls", b"a,b\n1,2\n", "source.wrong_type"),
        ("t.ods", b"%PDF-1.7\nPK\x03\x04", "source.wrong_type"),
        ("t.parquet", b"a,b\n1,2\n", "source.wrong_type"),
        ("t.csv", b"\x1f\x8b\x08\0", "source.compressed"),
        ("t.tsv", b"BZh91AY", "source.compressed"),
        ("t.csv", b"\x28\xb5\x2f\xfd\0", "source.compressed"),
        ("t.xls", encrypted_workbook()[:600], "source.damaged"),
    ],
)
def test_f20_the_content_must_be_what_the_ending_says(
    reader: Reader, name: str, content: bytes, code: str
) -> None:
    assert reader(name, content) == code


def test_f20_one_workbook_under_the_ending_of_another(reader: Reader) -> None:
    assert reader("t.ods", xlsx(ROWS)) == "source.wrong_type"
    assert reader("t.xlsb", xlsx(ROWS)) == "source.wrong_type"
    assert reader("t.xlsx", xlsb([["a"]])) == "source.wrong_type"


def test_f21_compressed_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(b"\x1f\x8b\x08\0")
    with pytest.raises(SourceError) as caught:
        listing(tmp_path, "t.csv.gz")
    assert caught.value.code == "source.compressed"


def test_no_message_holds_a_cell(reader: Reader) -> None:
    secret = "Zyzzyva"
    for name, content in [
        ("t.csv", f"a,b\n{secret}\n"),
        ("t.csv", f'a,b\n"{secret}"x,1\n'),
        ("t.csv", f'a,b\n"{secret}'),
        ("t.csv", f"a\n{secret}\0\n".encode() + b"\x81"),
        ("t.csv", f"a\n{secret * 10}\n"),
        ("t.xlsx", xlsx(TEXT.format("a") + f"<row><c><v>1</v></c><c><v>{secret}</v></c></row>")),
        ("t.xlsx", xlsx(TEXT.format("a") + f"<row><c s='1'><v>{secret}</v></c></row>")),
    ]:
        assert isinstance(reader(name, content, max_cell_bytes=60), str)
        assert secret not in reader.message
