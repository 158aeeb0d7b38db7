"""The seven steps of an execution: each reads files of the workspace and writes files of the workspace.

A step can be done again from its beginning at any time before its outcome is recorded.
"""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa

from kinsynth.columns.domain import domain_from_json
from kinsynth.connectors.base import Listing, Written
from kinsynth.connectors.destination import write
from kinsynth.connectors.files import read
from kinsynth.connectors.read_back import read_back
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.checkpoint import load_model as load_network
from kinsynth.engine.checkpoint import save_model as save_network
from kinsynth.engine.device import cuda_bytes, has_cuda, require_device
from kinsynth.engine.sizing import measure_table, training_seconds
from kinsynth.engine.trainer import Progress, train
from kinsynth.errors import Finding, InternalError
from kinsynth.evaluation.evaluate import evaluate
from kinsynth.pipeline.across import describe_across, find_across
from kinsynth.pipeline.anchors import Anchor
from kinsynth.pipeline.artefacts import (
    describe_database,
    load_database,
    load_encoded,
    load_tables,
    save_database,
    save_encoded,
)
from kinsynth.pipeline.certificate import Certificate, certify
from kinsynth.pipeline.checks import check, raise_errors
from kinsynth.pipeline.codecs import DatabaseCodec, widen
from kinsynth.pipeline.complexity import expected_epochs
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.constraints import state_circles, without_given
from kinsynth.pipeline.copied_graph import copy_graph, load_graph, save_graph
from kinsynth.pipeline.domains import certain_domains
from kinsynth.pipeline.echoes import describe_echoes, find_echoes
from kinsynth.pipeline.encoding import encode_parts, with_keys
from kinsynth.pipeline.exclusion import certain_rules
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.further_keys import state_pairs
from kinsynth.pipeline.imputation import count_filled
from kinsynth.pipeline.inspect import apply_orphan_policies, inspect
from kinsynth.pipeline.limits import (
    FOUND_BY_CHECKS,
    find_blind_keys,
    find_cut_counts,
    find_empty,
    find_few_held,
    find_unkept_rules,
    find_widened,
)
from kinsynth.pipeline.lookups import group_lookups, state_once
from kinsynth.pipeline.model import BATCH_ROOTS, Model, network_path
from kinsynth.pipeline.plan import Plan, derive_seed, look_at_machine, make_plan
from kinsynth.pipeline.roles import reduce_to_chosen
from kinsynth.pipeline.rules import fit_rules
from kinsynth.pipeline.timeline import StepProgress
from kinsynth.pipeline.together import describe_together, keep_together
from kinsynth.pipeline.workspace import LIMITS, Workspace
from kinsynth.report.pdf import render
from kinsynth.rules.base import Rule
from kinsynth.rules.registry import rule_from_json
from kinsynth.schema.database import Database
from kinsynth.schema.facts import KeyFacts, find_facts
from kinsynth.schema.graph import find_structure
from kinsynth.schema.split import split_rows
from kinsynth.schema.table import Relation, Schema
from kinsynth.settings.conditions import Fill
from kinsynth.settings.synthesis import Synthesis
from kinsynth.system import crash
from kinsynth.system.files import commit, read_json, write_atomically, write_json


def load(workspace: Workspace, synthesis: Synthesis, base: Path) -> None:
    """Read the source, check the document against it and keep what was chosen."""
    original = workspace.work / "original"
    require_device(synthesis.training.device)
    with workspace.step("loading", original) as progress:
        tables, listing = _read_source(workspace, synthesis, base)
        progress(0.5, f"{len(tables)} tables read")
        inspection = inspect(tables, synthesis, listing=listing)
        progress(0.8, "types and keys found")
        findings = check(inspection, synthesis)
        for finding in findings:
            if finding.code in FOUND_BY_CHECKS:
                progress.tell(finding)
            elif finding.severity != "error":
                progress.say(str(finding))
        raise_errors(findings)
        database, changes = apply_orphan_policies(inspection.database())
        for change in changes:
            progress.say(change)
        save_database(original, state_circles(reduce_to_chosen(database, synthesis)))
        for name, table in database.tables.items():
            progress.say(f"{name}: {table.num_rows:,} rows, {table.num_columns} columns")


def _read_source(
    workspace: Workspace, synthesis: Synthesis, base: Path
) -> tuple[Mapping[str, pa.Table], Listing | None]:
    if synthesis.source.kind == "memory":
        return load_tables(workspace.given), None
    listing = read(synthesis.source, workspace.work / "source", base=base)
    return {table.name: table.table() for table in listing.tables}, listing


def preprocess(workspace: Workspace, synthesis: Synthesis) -> None:
    """Split off the holdout, fit the codecs on the rest and encode it."""
    codecs, encoded, graph = (workspace.work / name for name in ("codecs.json", "encoded", "copied_graph"))
    with workspace.step("preprocessing", codecs, encoded, graph, *_part_folders(workspace)) as progress:
        for limit in _split(workspace, synthesis):
            progress.tell(limit)
        train_part, held = _load_parts(workspace, synthesis)
        rules = _settle_rules(train_part, held, synthesis, progress)
        original = load_database(workspace.work / "original")
        facts = _find_facts(original)
        across = find_across(train_part, held, synthesis, facts, rules)
        workspace.check_stop()
        codec = fit_codecs(
            train_part,
            synthesis,
            rules=rules,
            across=across,
            echoes=find_echoes(train_part, synthesis, facts, rules),
            on_share=lambda share, name: progress(0.2 + 0.5 * share, name),
        )
        workspace.check_stop()
        codec = group_lookups(train_part, codec, whole=original, protection=synthesis.protection)
        codec = keep_together(train_part, codec, minimum=synthesis.protection.rare_minimum)
        for line in (*describe_across(codec), *describe_echoes(codec), *describe_together(codec)):
            progress.say(line)
        if facts:
            codec = with_keys(train_part, codec, facts, minimum=synthesis.protection.rare_minimum)
        write_json(codecs, codec.to_json(), indent=None)
        for limit in find_widened(widen(train_part.schema, codec)[1]):
            progress.tell(limit)
        for limit in find_cut_counts(original, codec):
            progress.tell(limit)
        workspace.check_stop()
        parts = encode_parts(train_part, codec)
        save_encoded(encoded, parts)
        if synthesis.generation.keys == "copied":
            seed, minimum = synthesis.generation.seed, synthesis.protection.rare_minimum
            save_graph(graph, copy_graph(train_part, seed=seed, minimum=minimum))
            progress.say("The real graph of keys of the training rows is copied into the model")
        else:
            for limit in find_blind_keys(codec, parts):
                progress.tell(limit)


def _find_facts(original: Database) -> dict[Relation, KeyFacts]:
    """Look up what always holds of the further keys and of references, in all rows."""
    structure = find_structure(original.schema)
    several = any(
        count > 1
        for relations in structure.reference_relations.values()
        for count in Counter(one.references_table for one in relations).values()
    )
    if not several and not any(
        (*structure.keys.values(), *structure.late.values(), *structure.implied.values())
    ):
        return {}
    return find_facts(original, structure)


def _settle_rules(
    train_part: Database, held: Database | None, synthesis: Synthesis, progress: StepProgress
) -> dict[str, tuple[Rule, ...]]:
    """Make the rules of every table, and say which there are."""
    settled = fit_rules(train_part, held, synthesis)
    for name, (rules, unkept) in settled.items():
        for limit in find_unkept_rules(name, unkept):
            progress.tell(limit)
        if rules:
            progress.say(f"{name}: {len(rules)} rules are kept in every row")
    progress(0.2, "rules settled")
    return {name: rules for name, (rules, _) in settled.items()}


def _part_folders(workspace: Workspace) -> tuple[Path, Path]:
    """Give where the rows the model may see and the held-out rows are kept, when any are held out."""
    return workspace.work / "training", workspace.work / "holdout"


def _split(workspace: Workspace, synthesis: Synthesis) -> tuple[Finding, ...]:
    """Write the rows the model may see and the held-out rows, always the same; tell where these are few."""
    share = synthesis.evaluation.holdout_share
    if share == 0:
        return ()
    database = load_database(workspace.work / "original")
    seed = derive_seed(synthesis.generation.seed, "holdout")
    structure = find_structure(database.schema)
    parts = split_rows(database, structure, share=share, seed=seed)
    for folder, kept in zip(_part_folders(workspace), parts, strict=True):
        save_database(folder, database, kept)
    return tuple(find_few_held(*parts, structure.roots, share=share))


def _load_parts(workspace: Workspace, synthesis: Synthesis) -> tuple[Database, Database | None]:
    """Give the rows the model may see and the held-out rows, as files."""
    if synthesis.evaluation.holdout_share == 0:
        return load_database(workspace.work / "original"), None
    training, holdout = _part_folders(workspace)
    return load_database(training), load_database(holdout)


def build(workspace: Workspace, synthesis: Synthesis) -> None:
    """Decide sizes, batches and threads from the rows and the machine; once."""
    path = workspace.folder / "plan.json"
    with workspace.step("building", path) as progress:
        if path.exists():
            return
        machine = look_at_machine(synthesis, cuda=has_cuda(), cuda_bytes=cuda_bytes())
        plan = make_plan(load_encoded(workspace.work / "encoded"), synthesis, machine)
        write_json(path, plan.to_json())
        for name, table in plan.tables.items():
            if table.max_steps:
                progress.say(f"{name}: batches of {table.batch_size:,}, at most {table.max_epochs} epochs")


def learn(workspace: Workspace, synthesis: Synthesis) -> None:
    """Train the network of every synthesised table; finished ones are kept on resume."""
    with workspace.step("training", workspace.model) as progress:
        plan = Plan.from_json(read_json(workspace.folder / "plan.json"))
        encoded = load_encoded(workspace.work / "encoded")
        shapes = {name: measure_table(encoded, name) for name in encoded.tables}
        epochs = {name: expected_epochs(shape, plan.tables[name]) for name, shape in shapes.items()}
        work = {
            name: training_seconds(shape, plan.tables[name], epochs=epochs[name])
            for name, shape in shapes.items()
        }
        networks: dict[str, TableModel] = {}

        def report(state: Progress) -> None:
            workspace.check_stop()
            crash.point("training.validated")
            begun = expected_share(state, epochs[state.table])
            done = sum(work[name] for name in networks) + begun * work[state.table]
            losses = {"training_loss": state.training_loss, "validation_loss": state.validation_loss}
            losses = {name: loss for name, loss in losses.items() if math.isfinite(loss)}
            progress(done / sum(work.values()), f"{state.table}, epoch {state.epoch}", losses)

        for number, name in enumerate(encoded.tables):
            path = network_path(workspace.model, number)
            if not path.exists():
                seed = derive_seed(synthesis.generation.seed, f"train {number}")
                network = train(
                    encoded,
                    name,
                    plan.tables[name],
                    seed=seed,
                    limit=share_time(synthesis.training.max_seconds, work, networks),
                    checkpoint=workspace.checkpoint(number),
                    on_step=report,
                )
                save_network(path, network)
                progress.say(f"{name}: {_describe_training(network)}")
            networks[name] = load_network(path)
        _make_model(workspace, synthesis, networks).describe(workspace.model)


def share_time(
    max_seconds: float | None, work: Mapping[str, float], done: Mapping[str, TableModel]
) -> float | None:
    """Give the time limit of the next table: what finished tables left, by expected work.

    Args:
        max_seconds: Time limit of all tables.
        work: Expected work of each table, in the order they are trained.
        done: The tables trained so far, with the seconds they took.
    """
    if max_seconds is None:
        return None
    spent = sum(network.seconds or 0.0 for network in done.values())
    todo = [work[name] for name in work if name not in done]
    return max(0.0, max_seconds - spent) * todo[0] / (sum(todo) or 1.0)


def _describe_training(network: TableModel) -> str:
    if not network.steps:
        return "nothing to learn"
    return f"loss {network.loss:.3f} nats a row after {network.steps:,} steps"


def expected_share(state: Progress, epochs: float) -> float:
    """Estimate how much of a table's training is done: most trainings stop long before their last epoch."""
    return max(state.fraction, min(0.95, state.epoch / epochs))


def original_tables(database: Database) -> dict[str, pa.Table]:
    """Give the tables that are delivered unchanged."""
    return {name: database.tables[name] for name, table in database.schema.tables.items() if table.original}


def _make_model(workspace: Workspace, synthesis: Synthesis, networks: Mapping[str, TableModel]) -> Model:
    database = load_database(workspace.work / "original")
    codec = DatabaseCodec.from_json(read_json(workspace.work / "codecs.json"))
    roots = [table.name for table in codec.tables.values() if table.parent is None]
    execution = workspace.execution()
    schema, _ = widen(database.schema, codec)
    copied = synthesis.generation.keys == "copied"
    graph = load_graph(workspace.work / "copied_graph") if copied else None
    rows = {name: database.tables[name].num_rows for name in roots} if graph is None else graph.given.roots
    return Model(
        name=synthesis.name,
        schema=state_once(state_pairs(schema, codec.keys), codec),
        codec=codec,
        networks=networks,
        originals=original_tables(database),
        rows={name: synthesis.generation.rows.get(name, rows[name]) for name in roots},
        seed=synthesis.generation.seed,
        temperature=synthesis.generation.temperature,
        batch_roots=synthesis.training.generation_batch_size or BATCH_ROOTS,
        flavour=execution["flavour"],
        limits=workspace.limits("building"),
        graph=graph,
    )


def draw(
    workspace: Workspace,
    model: Model,
    *,
    rows: Mapping[str, int],
    seed: int,
    conditions: Conditions | None = None,
    told: Sequence[Finding] = (),
) -> None:
    """Draw the synthetic database; ``told`` says what of it the model could not learn as asked."""
    synthetic, rules = workspace.work / "synthetic", workspace.work / "rules.json"
    domains = workspace.work / "domains.json"
    with workspace.step("synthesis", synthetic, rules, domains) as progress:

        def report(share: float, message: str) -> None:
            workspace.check_stop()
            crash.point("synthesis.block")
            progress(share, message)

        for limit in told:
            progress.tell(limit)
        if model.graph is not None:
            progress.say("The graph of keys is that of the training rows, copied; only values are drawn")
        database = model.draw(
            rows,
            seed=seed,
            conditions=conditions,
            folder=synthetic,
            on_share=report,
            on_limit=progress.tell,
        )
        certain_schema = _certain_schema(database.schema, conditions)
        describe_database(synthetic, replace(database, schema=certain_schema))
        certain = certain_rules(model.codec, conditions or Conditions())
        write_json(
            rules,
            {
                name: {
                    "rules": [rule.to_json() for rule in kept],
                    "anchors": [anchor.to_json() for anchor in model.codec.tables[name].read_by_rules],
                }
                for name, kept in certain.items()
            },
        )
        kept_to = certain_domains(model.codec, conditions or Conditions())
        write_json(
            domains,
            {
                name: {column: [one.to_json() for one in several] for column, several in columns.items()}
                for name, columns in kept_to.items()
            },
        )
        for name, table in database.tables.items():
            progress.say(f"{name}: {table.num_rows:,} rows")
        for limit in find_empty(database, {**model.rows, **rows}):
            progress.tell(limit)


def fill(workspace: Workspace, model: Model, conditions: Conditions, *, seed: int, fill: Fill) -> None:
    """Fill the empty cells of the given rows of one table; the table alone is the result."""
    synthetic = workspace.work / "synthetic"
    rules, domains = workspace.work / "rules.json", workspace.work / "domains.json"
    ((name, given),) = conditions.given.items()
    with workspace.step("synthesis", synthetic, rules, domains) as progress:
        filled = model.fill(
            given,
            name,
            method=fill.method,
            seed=seed,
            empty_is_missing=conditions.empty_is_missing.get(name, ()),
            allow_missing=fill.allow_missing,
            temperature=conditions.temperature,
        )
        workspace.check_stop()
        schema = _certain_schema(Schema({name: model.schema.tables[name]}), conditions)
        save_database(synthetic, Database(schema, {name: filled}, "synthetic"))
        for promised in (rules, domains):  # cells come back as they were given, whatever the model would draw
            write_json(promised, {})
        progress.say(f"{name}: {filled.num_rows:,} rows, {count_filled(given, filled):,} cells filled")


def _certain_schema(schema: Schema, conditions: Conditions | None) -> Schema:
    """Give what is certain to hold of a drawing: cells that the user gives come back as they are."""
    if conditions is None:
        return schema
    given = {name: {*rows.column_names} for name, rows in conditions.given.items()}
    for name, values in conditions.fixed.items():
        given[name] = given.get(name, set()) | {*values}
    return without_given(schema, given)


def compare(workspace: Workspace, synthesis: Synthesis) -> None:
    """Compare original and synthetic, and write the report."""
    results, pdf = workspace.folder / "evaluation.json", workspace.folder / "report.pdf"
    with workspace.step("report", results, pdf) as progress:
        train_part, holdout = _load_parts(workspace, synthesis)
        evaluation = evaluate(
            train_part,
            load_database(workspace.work / "synthetic"),
            holdout=holdout,
            settings=synthesis.evaluation,
            report=synthesis.report,
            protection=synthesis.protection,
            seed=derive_seed(synthesis.generation.seed, "evaluation"),
        )
        write_atomically(results, evaluation.model_dump_json(indent=1).encode())
        progress(0.6, "comparison finished")
        workspace.check_stop()
        if synthesis.report.enabled:
            facts, limits = report_facts(synthesis), workspace.limits("report")
            copied = synthesis.generation.keys == "copied"
            document = render(evaluation, name=synthesis.name, facts=facts, limits=limits, copied_keys=copied)
            write_atomically(pdf, document)


def report_facts(synthesis: Synthesis) -> dict[str, str]:
    """Give what the title page says about the run; nothing that differs between equal runs."""
    return {
        "Seed": str(synthesis.generation.seed),
        "Model size": synthesis.training.model_size,
        "Held-out roots": f"{synthesis.evaluation.holdout_share:.0%}",
        "Differential privacy": "no",
        **({"Graph of keys": "copied"} if synthesis.generation.keys == "copied" else {}),
    }


def store(workspace: Workspace, synthesis: Synthesis) -> None:
    """Write the tables, read them again, certify what was written, and only then give them their name."""
    certificate, limits = workspace.folder / "certificate.json", workspace.folder / LIMITS
    with workspace.step("storing", workspace.tables, certificate, limits) as progress:
        database = load_database(workspace.work / "synthetic")
        staging = workspace.work / "tables"
        for folder in (staging, workspace.tables, workspace.work / "read_back"):
            if folder.exists():
                shutil.rmtree(folder)
        written = write(database, synthesis.destination, staging)
        progress(0.6, f"{len(written)} files written")
        proof = _certify(workspace, database, written, progress)
        write_atomically(certificate, proof.to_json().encode())
        if proof.failed:
            raise InternalError(
                "certificate.failed",
                f"{len(proof.failed)} guarantees do not hold on the written files.",
                where=str(certificate),
                remedy="Report this with the certificate; it holds no values.",
            )
        shutil.rmtree(workspace.work / "read_back")
        write_json(limits, [asdict(limit) for limit in workspace.limits("storing")])
        commit(staging, workspace.tables)
        progress.say(f"{len(proof.guarantees)} guarantees hold on the written files")


def _certify(
    workspace: Workspace, database: Database, written: Sequence[Written], progress: StepProgress
) -> Certificate:
    """Check every guarantee on what the files hold now; original tables against the source as it was read."""
    source = workspace.work / "original"
    kept = read_json(workspace.work / "rules.json")
    tables = read_back(written, database.schema, folder=workspace.work / "read_back")
    progress(0.8, f"{len(tables)} tables read again")
    return certify(
        database.schema,
        tables,
        originals=original_tables(load_database(source) if source.exists() else database),
        expected_rows={name: table.num_rows for name, table in database.tables.items()},
        rules={name: [rule_from_json(rule) for rule in said["rules"]] for name, said in kept.items()},
        anchors={name: [Anchor.from_json(one) for one in said["anchors"]] for name, said in kept.items()},
        domains={
            name: {column: [domain_from_json(one) for one in several] for column, several in columns.items()}
            for name, columns in read_json(workspace.work / "domains.json").items()
        },
    )
