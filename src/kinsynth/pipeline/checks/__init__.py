"""Validations that need the data or more than one field: pure functions from facts to findings, all at once.

One file for each configuration step. Bounds of a single field live in ``settings``.
"""

from __future__ import annotations

from collections.abc import Iterable

from kinsynth.errors import Finding, SchemaError, SettingsError, UserError
from kinsynth.pipeline.checks.constraints import find_constraints
from kinsynth.pipeline.checks.copied_graph import find_copied_graph
from kinsynth.pipeline.checks.data import find_data
from kinsynth.pipeline.checks.facts import Facts
from kinsynth.pipeline.checks.foreign_keys import find_foreign_keys
from kinsynth.pipeline.checks.ownership import find_ownership
from kinsynth.pipeline.checks.primary_keys import find_primary_keys
from kinsynth.pipeline.checks.rules import find_rules
from kinsynth.pipeline.checks.settings import find_settings
from kinsynth.pipeline.checks.treatment import find_treatment
from kinsynth.pipeline.inspect import Inspection
from kinsynth.schema.graph import find_structure
from kinsynth.settings.document import combine
from kinsynth.settings.synthesis import Synthesis

STEPS = (
    find_data,
    find_primary_keys,
    find_foreign_keys,
    find_ownership,
    find_treatment,
    find_rules,
    find_constraints,
    find_copied_graph,
    find_settings,
)
ORDER = ("data", "primary_keys", "foreign_keys", "treatment", "settings")


def check(inspection: Inspection, synthesis: Synthesis) -> tuple[Finding, ...]:
    """Check a document against the data it is about.

    Args:
        inspection: What was found in the source, with what the document declares.
        synthesis: The document.

    Returns:
        All findings, in the order of the configuration steps; empty when nothing is to be said.

    Guarantees:
        Stops at no finding and changes nothing. No finding holds a cell of the source.
    """
    facts = Facts(
        synthesis=synthesis,
        schema=inspection.schema,
        structure=find_structure(inspection.schema),
        tables=inspection.tables,
        source=inspection.source,
        listing=inspection.listing,
        key_facts=inspection.key_facts,
    )
    findings = (*inspection.findings, *(finding for find in STEPS for finding in find(facts)))
    return tuple(sorted(findings, key=lambda finding: ORDER.index(finding.step)))


def raise_errors(findings: Iterable[Finding]) -> None:
    """Stop when a finding blocks.

    Raises:
        SettingsError: All blocking findings are about settings.
        SchemaError: A blocking finding is about data, keys or treatment; ``findings`` holds all of them.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return
    kind: type[UserError] = SettingsError if all(e.step == "settings" for e in errors) else SchemaError
    raise combine(errors, kind)
