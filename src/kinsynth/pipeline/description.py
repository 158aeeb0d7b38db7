"""Description: what a source holds as plain facts, the same for a terminal and for an installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kinsynth.connectors.base import SourceTable
from kinsynth.pipeline.declaration import declare
from kinsynth.pipeline.inspect import Inspection
from kinsynth.pipeline.review import review_rules
from kinsynth.rules.detect import Proposal
from kinsynth.rules.wording import write_rule
from kinsynth.schema.paths import write_path
from kinsynth.schema.table import Column, Relation, Schema, Table
from kinsynth.settings.synthesis import Synthesis

Facts = dict[str, Any]


def describe(inspection: Inspection, synthesis: Synthesis) -> Facts:
    """Say what the tables hold, and write a document that says it outright.

    Returns:
        Facts that JSON can hold: ``tables``, ``relations`` that are used and that are only suggested,
        ``rules``, ``skipped`` files, ``findings``, and the ``document``, whole.
    """
    proposals = review_rules(inspection, synthesis)
    rules = {name: [one.rule for one in found] for name, found in proposals.items()}
    declared = declare(inspection.schema, synthesis, rules, inspection.personal())
    origins = {one.name: one for one in inspection.listing.tables} if inspection.listing else {}
    return {
        "tables": [
            _describe_table(inspection, table, origins.get(table.name))
            for table in inspection.schema.tables.values()
        ],
        "relations": _describe_relations(inspection),
        "rules": _describe_rules(proposals),
        "skipped": [asdict(one) for one in inspection.listing.skipped] if inspection.listing else [],
        "findings": [asdict(finding) for finding in inspection.findings],
        "document": declared.model_dump(mode="json", exclude_unset=True),
    }


def _describe_table(inspection: Inspection, table: Table, origin: SourceTable | None) -> Facts:
    proposal = inspection.key_proposals.get(table.name)
    order = inspection.order_proposals.get(table.name)
    return {
        "name": table.name,
        **_describe_origin(origin),
        "rows": inspection.tables[table.name].num_rows,
        "original": table.original,
        "primary_key": list(table.primary_key),
        "proposed_key": list(proposal.columns) if proposal else [],
        "key_confidence": proposal.confidence if proposal else None,
        "key_reason": proposal.reason if proposal else "",
        "order_by": table.order_by,
        "order_reason": order.reason if order and order.column == table.order_by else "",
        "columns": [_describe_column(inspection, table.name, column) for column in table.columns],
    }


def _describe_origin(origin: SourceTable | None) -> Facts:
    """Say where a table was read from, and how; nothing of one that was handed over in Python."""
    return {
        "file": origin.file if origin else "",
        "sheet": origin.sheet if origin else "",
        "dialect": asdict(origin.dialect) if origin and origin.dialect else None,
        "notes": dict(origin.notes) if origin else {},
    }


def _describe_column(inspection: Inspection, table: str, column: Column) -> Facts:
    found = inspection.detected[table][column.name]
    values = inspection.tables[table].column(column.name)
    return {
        "name": column.name,
        "type": column.type,
        "storage": column.storage,
        "missing": values.null_count,
        "detected": found.type,
        "confidence": found.confidence,
        "reason": found.reason,
        "personal": found.personal,
    }


def _describe_relations(inspection: Inspection) -> list[Facts]:
    proposals = {str(one.relation): one for one in inspection.relation_proposals}
    used = []
    for relation in inspection.schema.relations:
        proposal = proposals.pop(str(relation), None)
        facts = inspection.key_facts.get(relation)
        used.append(
            _describe_relation(relation)
            | {
                "role": _find_role(inspection.schema, relation),
                "used": True,
                "implied": write_path(facts.implied) if facts is not None and facts.implied else "",
                "confidence": proposal.confidence if proposal else None,
                "reason": proposal.reason if proposal else "declared",
            }
        )
    return used + [
        _describe_relation(one.relation)
        | {"role": "", "used": False, "implied": "", "confidence": one.confidence, "reason": one.reason}
        for one in proposals.values()
    ]


def _describe_relation(relation: Relation) -> Facts:
    return {
        "table": relation.table,
        "columns": list(relation.columns),
        "references_table": relation.references_table,
        "references_columns": list(relation.references_columns),
    }


def _find_role(schema: Schema, relation: Relation) -> str:
    """Say what a key is for: owner, further key, reference, or implied by others."""
    original = schema.tables[relation.references_table].original
    return "reference" if original and relation.role != "implied" else relation.role


def _describe_rules(proposals: Mapping[str, Sequence[Proposal]]) -> list[Facts]:
    return [
        {
            "table": table,
            "kind": one.rule.kind,
            "columns": list(one.rule.columns),
            "text": write_rule(one.rule.kind, one.rule.columns),
            "reason": one.reason,
        }
        for table, found in proposals.items()
        for one in found
    ]
