"""Views of what an analysis says: rows, tables, relations, findings and the cost of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from kinsynth.errors import UserError
from kinsynth.service.documents import Document
from kinsynth.service.pages import View

MOST_ROWS = 500


class RowsView(View):
    """Some rows of a table, cells as texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...] = Field(
        description="Cells; null where missing, cut after 1,000 letters. Fewer rows than asked for where "
        "they are large: ask for the next from offset + their number."
    )
    offset: int
    total: int = Field(description="Rows of the whole table.")


class FindingView(View):
    """Something a check says."""

    code: str
    severity: Literal["error", "warning", "notice"]
    where: str
    message: str
    remedy: str
    step: str
    count: int | None = None


class ColumnView(View):
    """A column as it was found."""

    name: str
    type: str
    storage: str
    missing: int = Field(description="Cells that are missing.")
    detected: str = Field(description="Type that its cells speak for.")
    confidence: float
    reason: str
    personal: str = Field("", description="Why it seems to be about a person; empty where nothing says so.")


class DialectView(View):
    """How a text file was read."""

    encoding: str
    delimiter: str
    newline: str
    quote: str


class TableView(View):
    """A table as it was found."""

    name: str
    file: str
    sheet: str
    dialect: DialectView | None
    notes: dict[str, int] = Field(description="Counts worth knowing of how it was read.")
    rows: int
    original: bool
    primary_key: tuple[str, ...]
    proposed_key: tuple[str, ...]
    key_confidence: float | None
    key_reason: str
    order_by: str | None
    order_reason: str
    columns: tuple[ColumnView, ...]


class RelationView(View):
    """A foreign key that is used, or only suggested."""

    table: str
    columns: tuple[str, ...]
    references_table: str
    references_columns: tuple[str, ...]
    role: str
    used: bool
    implied: str = Field(description="Path of keys that it follows from; empty for others.")
    confidence: float | None
    reason: str


class RuleView(View):
    """A rule that all rows keep."""

    table: str
    kind: str
    columns: tuple[str, ...]
    text: str
    reason: str


class SkippedView(View):
    """What was left aside."""

    file: str
    reason: str


class DetectionView(View):
    """What a source holds, and a document that says it outright."""

    tables: tuple[TableView, ...]
    relations: tuple[RelationView, ...]
    rules: tuple[RuleView, ...]
    skipped: tuple[SkippedView, ...]
    findings: tuple[FindingView, ...]
    document: Document


class DriverView(View):
    """A part of the cost."""

    name: str
    share: float
    where: str


class SuggestionView(View):
    """A change that would help."""

    code: str
    message: str
    overrides: dict[str, str]


class AssessmentView(View):
    """What a run will cost."""

    seconds: float
    peak_memory_bytes: int
    drivers: tuple[DriverView, ...]
    verdict: Literal["good", "slow", "poor"]
    reason: str
    suggestions: tuple[SuggestionView, ...]


class CheckView(View):
    """What checks say about a document and a version of its source."""

    findings: tuple[FindingView, ...]
    assessment: AssessmentView | None = Field(description="Null while a finding blocks.")
    rows: dict[str, int] = Field(description="Rows of each root table that will be generated.")


@dataclass(frozen=True)
class Window:
    """Some rows of a table.

    Attributes:
        table: Name of the table.
        offset: Rows before them.
        limit: How many, 1 to 500.

    Raises:
        UserError: ``request.page``.
    """

    table: str
    offset: int = 0
    limit: int = 50

    def __post_init__(self) -> None:
        """Refuse rows that cannot be asked for."""
        if not (0 <= self.offset < 2**62 and 1 <= self.limit <= MOST_ROWS):
            raise UserError(
                "request.page",
                f"offset={self.offset}, limit={self.limit}; expected 0 or more, and 1 to {MOST_ROWS}.",
                where="limit",
                remedy="Ask for fewer rows at a time.",
            )
