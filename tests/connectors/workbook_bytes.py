"""Workbooks made byte by byte: xls, xlsb, and archives a spreadsheet would never write."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

Cell = str | float | bool | None
ERROR = object()
"""A cell with the error #N/A."""
DATE, DATETIME, TIME = 1, 2, 3
"""Styles of the xls workbook: built-in formats 14, 22 and 21."""

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _xls_cell(row: int, column: int, cell: object) -> bytes:
    style = 0
    if isinstance(cell, tuple):
        cell, style = cell
    place = struct.pack("<HHH", row, column, style)
    if cell is None:
        return b""
    if cell is ERROR:
        return _record(0x0205, place + bytes((0x2A, 1)))
    if isinstance(cell, bool):
        return _record(0x0205, place + bytes((cell, 0)))
    if isinstance(cell, str):
        return _record(
            0x0204,
            place + struct.pack("<HB", len(cell.encode("utf-16-le")) // 2, 1) + cell.encode("utf-16-le"),
        )
    return _record(0x0203, place + struct.pack("<d", cell))


def xls(rows: Sequence[Sequence[object]], *, hidden: bool = False, epoch_1904: bool = False) -> bytes:
    """An xls workbook (BIFF8 in a compound file) with one sheet named Data, or two when one is hidden."""
    opening = struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)
    head = _record(0x0809, opening) + _record(0x0042, struct.pack("<H", 1200))
    head += _record(0x0022, struct.pack("<H", epoch_1904))
    for number_format in (0, 14, 22, 21):
        head += _record(0x00E0, struct.pack("<HH", 0, number_format) + bytes(16))
    names = ["Data", "Aside"] if hidden else ["Data"]
    size = len(head) + sum(4 + 8 + len(name) for name in names) + 4
    sheets = [_xls_sheet(rows), _xls_sheet([["secret"], ["x"]])][: len(names)]
    for state, (name, _) in enumerate(zip(names, sheets, strict=True)):
        offset = size + sum(len(sheet) for sheet in sheets[:state])
        head += _record(0x0085, struct.pack("<IBBBB", offset, state, 0, len(name), 0) + name.encode())
    return _compound_file("Workbook", head + _record(0x000A) + b"".join(sheets))


def _xls_sheet(rows: Sequence[Sequence[object]]) -> bytes:
    width = max(len(row) for row in rows)
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    sheet += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for number, row in enumerate(rows):
        sheet += b"".join(_xls_cell(number, column, cell) for column, cell in enumerate(row))
    return sheet + _record(0x000A)


def _compound_file(name: str, stream: bytes) -> bytes:
    """A compound file with one stream, large enough for ordinary sectors."""
    stream = stream.ljust(max(4096, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    sectors = len(stream) // _SECTOR
    chain = [_FAT, _END, *range(3, 2 + sectors), _END]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(_SECTOR, b"\xff")
    assert len(fat) == _SECTOR, "one sector of allocation table is enough for tests"

    def entry(title: str, kind: int, child: int, start: int, size: int) -> bytes:
        encoded = title.encode("utf-16-le") + b"\0\0"
        head = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
        return head + struct.pack("<III", _FREE, _FREE, child) + bytes(36) + struct.pack("<IQ", start, size)

    folder = entry("Root Entry", 5, 1, _END, 0) + entry(name, 2, _FREE, 2, len(stream))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    head += bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    head += struct.pack("<I", 0) + b"\xff" * (4 * 108)
    return head + fat + folder.ljust(_SECTOR, b"\0") + stream


def encrypted_workbook() -> bytes:
    """What a spreadsheet writes for an xlsx workbook with a password."""
    return _compound_file("EncryptedPackage", b"\0" * 100)


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def _record_12(kind: int, body: bytes = b"") -> bytes:
    number = bytes((kind,)) if kind < 0x80 else bytes((kind & 0x7F | 0x80, kind >> 7))
    size, rest = b"", len(body)
    while rest >= 0x80:
        size += bytes((rest & 0x7F | 0x80,))
        rest >>= 7
    return number + size + bytes((rest,)) + body


def xlsb(rows: Sequence[Sequence[object]], *, last: tuple[int, int] | None = None) -> bytes:
    """An xlsb workbook (BIFF12) with one sheet; ``last`` is the last row and column it claims to have."""
    bottom, right = last or (len(rows) - 1, max(len(row) for row in rows) - 1)
    sheet = _record_12(129) + _record_12(148, struct.pack("<IIII", 0, bottom, 0, right)) + _record_12(145)
    for number, row in enumerate(rows):
        sheet += _record_12(0, struct.pack("<I", number) + bytes(13))
        for column, cell in enumerate(row):
            place = struct.pack("<II", column, 0)
            if cell is ERROR:
                sheet += _record_12(3, place + b"\x2a")
            elif isinstance(cell, bool):
                sheet += _record_12(4, place + bytes((cell,)))
            elif isinstance(cell, str):
                sheet += _record_12(6, place + _wide(cell))
            elif cell is not None:
                sheet += _record_12(5, place + struct.pack("<d", cell))
    sheet += _record_12(146) + _record_12(130)
    book = (
        _record_12(131)
        + _record_12(143)
        + _record_12(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("Data"))
    )
    book += _record_12(144) + _record_12(132)
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    start = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    return archive(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'{start}<Relationship Id="rId1" Type="{relation}/officeDocument" '
            'Target="xl/workbook.bin"/></Relationships>',
            "xl/_rels/workbook.bin.rels": f'{start}<Relationship Id="rId1" Type="{relation}/worksheet" '
            'Target="worksheets/sheet1.bin"/></Relationships>',
            "xl/workbook.bin": book,
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def archive(members: Mapping[str, str | bytes] | Sequence[tuple[str, str | bytes]]) -> bytes:
    """A zip archive; a sequence may hold a name twice."""
    pairs = members.items() if isinstance(members, Mapping) else members
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as handle:
        for name, content in pairs:
            handle.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def xlsx_parts(sheet_data: str, *, before: str = "", after: str = "", book: str = "") -> dict[str, str]:
    """The parts of an xlsx workbook whose one sheet, Data, has the given rows in XML.

    Styles 1 to 4 show dates, dates with time, times of day, and elapsed hours.
    """
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    start = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    formats = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22, 21, 46))
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'{start}<Relationship Id="rId1" Type="{relation}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'{start}<Relationship Id="rId1" Type="{relation}/worksheet" '
        'Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{relation}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId9" Type="{relation}/externalLink" Target="file:///etc/hostname" '
        'TargetMode="External"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}">{book}'
        '<sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs>{formats}</cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'{before}<worksheet xmlns="{main}">'
        f"<sheetData>{sheet_data}</sheetData>{after}</worksheet>",
    }


def xlsx(sheet_data: str, **parts: str) -> bytes:
    """An xlsx workbook whose one sheet has the given rows in XML."""
    return archive(xlsx_parts(sheet_data, **parts))


def ods(table_rows: str, *, manifest: str = "", before: str = "", styles: str = "", table: str = "") -> bytes:
    """An ods workbook whose one sheet, Data, has the given rows in XML."""
    space = "urn:oasis:names:tc:opendocument:xmlns"
    names = " ".join(f'xmlns:{name}="{space}:{name}:1.0"' for name in ("office", "table", "text", "style"))
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f"<manifest>{manifest}</manifest>",
            "content.xml": f"{before}<office:document-content {names} "
            'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
            f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
            f'<table:table table:name="Data" {table}>{table_rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        }
    )
