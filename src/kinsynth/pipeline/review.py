"""Review: what can be said before anything runs. Loads no torch, so that it answers at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from kinsynth.connectors.files import read
from kinsynth.errors import Finding, SchemaError
from kinsynth.pipeline.checks import check
from kinsynth.pipeline.complexity import Assessment, assess_inspection
from kinsynth.pipeline.inspect import Inspection, apply_orphan_policies, inspect
from kinsynth.pipeline.rules import propose_rules
from kinsynth.rules.detect import Proposal
from kinsynth.settings.synthesis import Synthesis
from kinsynth.system.failures import explained


@explained()
def inspect_source(synthesis: Synthesis, *, base: Path) -> Inspection:
    """Read the source and say what was found; nothing is kept."""
    with TemporaryDirectory() as folder:
        listing = read(synthesis.source, Path(folder), base=base)
        return inspect({table.name: table.table() for table in listing.tables}, synthesis, listing=listing)


@explained()
def review_rules(inspection: Inspection, synthesis: Synthesis) -> dict[str, tuple[Proposal, ...]]:
    """Propose the rules of every synthesised table; none while relations must be repaired first."""
    try:
        database, _ = apply_orphan_policies(inspection.database())
    except SchemaError:  # shown by check; rows without an owner belong to nobody yet
        return {}
    return propose_rules(database, synthesis)


def check_document(
    synthesis: Synthesis, *, base: Path
) -> tuple[Inspection, tuple[Finding, ...], Assessment | None]:
    """Check a document against its source, and assess its cost when nothing is wrong."""
    inspection = inspect_source(synthesis, base=base)
    findings = check(inspection, synthesis)
    if any(finding.severity == "error" for finding in findings):
        return inspection, findings, None
    return inspection, findings, assess_inspection(inspection, synthesis)
