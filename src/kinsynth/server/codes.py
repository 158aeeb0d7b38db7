"""Codes of errors that many operations share."""

from __future__ import annotations

KEY = ("idempotency.reused",)
DOCUMENT = (
    "settings.syntax",
    "settings.too_large",
    "settings.unknown_field",
    "settings.value",
    "settings.version",
    "synthesis.source_kind",
)
STORE = ("artefact.collected", "artefacts.unavailable")
DAMAGED = ("artefact.changed", "artefact.damaged", "artefacts.settings", "internal.child", "keys.tampered")
LOST = ("artefact.missing", "keys.missing")
PARSER = ("source.parser_died", "source.parser_memory", "source.parser_timeout")
UPLOAD = (
    "source.compressed",
    "source.empty",
    "source.encrypted",
    "source.file_name",
    "source.too_large",
    "source.too_many_files",
    "source.unknown_kind",
    "source.wrong_type",
)
READING = (
    *UPLOAD,
    "source.archive",
    "source.cell_too_large",
    "source.column_type",
    "source.damaged",
    "source.encoding",
    "source.encoding_mixed",
    "source.encoding_unknown",
    "source.gone",
    "source.header",
    "source.headers",
    "source.line_too_long",
    "source.no_columns",
    "source.no_tables",
    "source.not_found",
    "source.ragged_rows",
    "source.table_name",
    "source.text_after_quote",
    "source.timestamp_range",
    "source.too_many_cells",
    "source.too_many_columns",
    "source.unclosed_quote",
    *LOST,
    *PARSER,
)
CONDITIONS = (
    "condition.child_table",
    "condition.contradiction",
    "condition.copied_graph",
    "condition.fill",
    "condition.further_keys",
    "condition.given_file",
    "condition.given_twice",
    "condition.key",
    "condition.key_column",
    "condition.missing_given",
    "condition.never_missing",
    "condition.never_type",
    "condition.rows",
    "condition.share_value",
    "condition.shares",
    "condition.table",
    "condition.temperature",
    "condition.unknown_column",
    "condition.unknown_reference",
    "condition.unknown_table",
    "condition.value",
    "data.unparsable",
    "files.damaged",
    "model.version",
    "settings.rows_copied",
    "treatment.never_identifier",
    "treatment.nothing_left",
)
BUSY = ("analysis.busy", "source.parser_killed", *STORE)
QUOTA = ("quota.rows", "quota.seconds")
