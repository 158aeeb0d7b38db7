"""Model: what was learned of a database; draws synthetic databases of any size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kinsynth.connectors.frames import Flavour, as_frame, flavour_of
from kinsynth.connectors.memory import tables_from_memory
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.checkpoint import load_model as load_network
from kinsynth.engine.checkpoint import save_model as save_network
from kinsynth.engine.sampled import SampledBlock, concatenate, concatenate_pointed, in_order
from kinsynth.engine.sampler import sample
from kinsynth.errors import Finding, UserError
from kinsynth.pipeline.allotment import allot
from kinsynth.pipeline.anchors import DrawnReach
from kinsynth.pipeline.artefacts import save_tables
from kinsynth.pipeline.assembly import assemble, keep_distinct
from kinsynth.pipeline.codecs import DatabaseCodec, Rows
from kinsynth.pipeline.conditions import Conditions, Names, make_conditions, only_root
from kinsynth.pipeline.copied_graph import CopiedGraph, save_graph
from kinsynth.pipeline.decoding import Decoded, Drawn, decode
from kinsynth.pipeline.exclusion import certain_rules
from kinsynth.pipeline.imputation import best_rows, fillable
from kinsynth.pipeline.kept_graph import refuse_repeated
from kinsynth.pipeline.limits import Losses
from kinsynth.pipeline.outline import GRAPH, VERSION, Outline, check_method, load_outline, read_facts
from kinsynth.pipeline.plan import derive_seed
from kinsynth.pipeline.preparation import Prepared
from kinsynth.schema.database import Database
from kinsynth.schema.document import write_schema
from kinsynth.schema.graph import find_structure
from kinsynth.schema.table import Relation, Schema
from kinsynth.settings.conditions import Method
from kinsynth.system.failures import explained
from kinsynth.system.files import commit, write_json
from kinsynth.system.mapping import allocate_in

BATCH_ROOTS = 8_192
OnShare = Callable[[float, str], None]
OnLimit = Callable[[Finding], None]


@dataclass(frozen=True)
class Model:
    """A trained model of a database.

    Attributes:
        name: Name of the synthetic data set.
        schema: Schema of the databases it draws.
        codec: How tables become codes and back.
        networks: Trained network of each synthesised table, parents first.
        originals: Original tables, delivered unchanged.
        rows: Number of rows of each root table that was found in the source.
        seed: Seed used when none is given.
        temperature: Temperature used for drawing.
        batch_roots: Root rows held as codes before they become values; never changes a value.
        flavour: Library of the tables that ``sample`` gives: ``polars``, ``pandas`` or ``pyarrow``.
        limits: What of the database could not be modelled as asked.
        graph: The real graph of keys of the training rows, which every drawing has; None to draw keys.
    """

    name: str
    schema: Schema
    codec: DatabaseCodec
    networks: Mapping[str, TableModel]
    originals: Mapping[str, pa.Table]
    rows: Mapping[str, int]
    seed: int
    temperature: float = 1.0
    batch_roots: int = BATCH_ROOTS
    flavour: Flavour = "polars"
    limits: tuple[Finding, ...] = ()
    graph: CopiedGraph | None = None

    @explained()
    def draw(
        self,
        rows: Mapping[str, int] | None = None,
        *,
        seed: int | None = None,
        conditions: Conditions | None = None,
        folder: Path | None = None,
        on_share: OnShare = lambda _share, _message: None,
        on_limit: OnLimit = lambda _limit: None,
    ) -> Database:
        """Draw a synthetic database.

        Args:
            rows: Rows of each root table; a table that is missing gets the number found in the source.
            seed: Source of all randomness; None for the model's own.
            conditions: What the rows must keep to beside what was learned.
            folder: Where the tables are kept, as numbered files that are mapped; None for memory.
            on_share: Told the share done, between 0 and 1.
            on_limit: Told what could not be made as it was asked or learned.

        Returns:
            A database with the model's schema, original tables included.

        Raises:
            SettingsError: ``rows`` names a table that is no root table, or a negative number; the conditions
                do not fit the model.

        Guarantees:
            The same model, rows, seed and conditions give the same bytes, whatever ``batch_roots`` is. The
            first n roots are the same for any number of roots, unless rows point to others beside their
            owners, or to pools of a lookup, or a small drawing has references to a lookup: which ones is
            settled over all rows. With a copied graph every drawing has its rows and its connections.

        Memory: with a folder that of one batch, of the key columns that are drawn, and 260 bytes for each
            row of the table whose keys are assigned; all else are pages of files.
        """
        asked, losses = conditions or Conditions(), Losses()
        wanted, ready = self.prepared(rows or {}, asked)
        for finding in ready.findings:
            on_limit(finding)
        drawing = derive_seed(self.seed if seed is None else seed, "sample")
        shares = self._shares(asked)
        whole = ready.codec.has_pools or (bool(shares) and self._is_settled_whole(wanted))
        begun = 0.6 if ready.codec.keys or whole or self.graph is not None else 0.0
        blocks = sample(
            _restricted(self.networks, ready.codec),
            {root: wanted[root] for root in find_structure(self.schema).trees},
            seed=drawing,
            temperature=self.temperature if asked.temperature is None else asked.temperature,
            conditions=ready.conditions,
            graph=None if self.graph is None else self.graph.given,
            shares=shares,
            whole=whole,
            on_share=lambda share, name: on_share(begun * share, name),
            allocate=np.zeros if folder is None else allocate_in(folder),
        )
        made = assemble(
            self._decode(
                blocks,
                ready,
                seed=drawing,
                allotted=self._allot(blocks, ready, drawing) if ready.codec.has_pools else {},
                roots=sum(wanted.values()),
                losses=losses,
                on_share=lambda share, done: on_share(begun + (0.9 - begun) * share, done),
            ),
            ready.codec,
            ready.schema,
            originals=self.originals,
            known=ready.known,
            seed=drawing,
            folder=folder,
            on_share=lambda share, name: on_share(0.9 + 0.1 * share, f"{name}: keys made"),
            on_emptied=losses.add_emptied,
        )
        certain = certain_rules(self.codec, asked)
        distinct, repeated = keep_distinct(made, ready.codec, rules=certain, folder=folder)
        if self.graph is not None:
            refuse_repeated(repeated)
        losses.repeated.update(repeated)
        for limit in losses.find(wanted):
            on_limit(limit)
        return distinct

    def _shares(self, asked: Conditions) -> dict[str, dict[int, NDArray[np.float64]]]:
        """Give the shares that references and counts are led to: none where anything else is asked."""
        temperature = self.temperature if asked.temperature is None else asked.temperature
        if self.graph is not None or temperature != 1 or asked.restricts:
            return {}
        return {name: shares for name, table in self.codec.tables.items() if (shares := table.shares)}

    def _is_settled_whole(self, wanted: Mapping[str, int]) -> bool:
        """Whether references are led to their shares: all rows of each root table are one block then."""
        few = all(rows <= self.networks[name].plan.block_size for name, rows in wanted.items())
        return few and self.codec.has_references

    def _allot(self, blocks: Iterable[SampledBlock], ready: Prepared, seed: int) -> Mapping[Relation, Rows]:
        """Settle which rows of pools are referenced, over all rows."""
        batches = map(_join, gather(blocks, self.batch_roots))
        return allot(batches, ready.codec, ready.schema, known=ready.known, seed=seed)

    def _decode(
        self,
        blocks: Iterable[SampledBlock],
        ready: Prepared,
        *,
        seed: int,
        allotted: Mapping[Relation, Rows],
        roots: int,
        losses: Losses,
        on_share: OnShare,
    ) -> Iterator[Decoded]:
        """Turn blocks into values, a batch at a time; take down what found no row to point at."""
        before: Counter[str] = Counter()
        structure = find_structure(ready.schema)
        reach, done = DrawnReach(ready.codec.anchors, structure, self.originals), 0
        for batch in gather(blocks, self.batch_roots):
            losses.add(batch)
            decoded = decode(
                _join(batch),
                ready.codec,
                ready.schema,
                seed=seed,
                before=before,
                known=ready.known,
                excluded=ready.excluded,
                reach=reach,
                allotted=allotted,
                originals=self.originals,
            )
            yield decoded
            before.update(decoded.rows)
            done += decoded.rows[batch[0].root]
            on_share(done / max(1, roots), f"{done:,} of {roots:,} root rows")

    def prepared(self, rows: Mapping[str, int], conditions: Conditions) -> tuple[dict[str, int], Prepared]:
        """Give the rows of every root table, and the conditions as the engine takes them.

        Raises:
            KinsynthError: What is asked does not fit the model.
        """
        return self.outline.prepared(rows, conditions)

    @property
    def outline(self) -> Outline:
        """The model without its networks."""
        return Outline(self.schema, self.codec, self.originals, self.rows, self.graph)

    def sample(
        self,
        rows: Mapping[str, int] | None = None,
        seed: int | None = None,
        *,
        given: Any = None,
        empty_is_missing: Names | None = None,
        balance: Mapping[str, Any] | None = None,
        never: Mapping[str, Any] | None = None,
        no_missing: Names | None = None,
        temperature: float | None = None,
    ) -> dict[str, Any]:
        """Draw synthetic tables by name, as data frames of the library the model was fitted with.

        Args:
            rows: Rows of each root table; a table that is missing gets the number found in the source.
            seed: Source of all randomness; None for the model's own.
            given: What is known, by root table: a frame with a row for each row to draw, its empty cells to
                be drawn, or one value for each known column: ``{"people": {"income": "high"}}``. With
                one root table a frame may stand alone.
            empty_is_missing: Columns of given frames in which an empty cell means missing, not unknown.
            balance: Shares of some values of one column of a table,
                ``{"people": {"income": {"high": 0.5}}}``; None is the missing value. Other values share
                the rest as learned.
            never: Values not to draw, ``{"people": {"job": ["none"]}}``.
            no_missing: Columns in which no missing value is drawn, ``{"people": ["job"]}``.
            temperature: Above 1 draws more variety than was learned, below 1 less; None for the model's own.

        Raises:
            KinsynthError: What is asked does not fit the model.

        Guarantees:
            Given cells come back as they are, and what is drawn follows the model's chances given them.
        """
        conditions = make_conditions(
            self.schema,
            given=given,
            empty_is_missing=empty_is_missing,
            balance=balance,
            never=never,
            no_missing=no_missing,
            temperature=temperature,
        )
        database = self.draw(rows, seed=seed, conditions=conditions)
        return {name: as_frame(table, self.flavour) for name, table in database.tables.items()}

    @explained()
    def impute(
        self,
        given: Any,
        *,
        table: str | None = None,
        method: Method = "draw",
        seed: int | None = None,
        empty_is_missing: Sequence[str] = (),
        allow_missing: bool = False,
        temperature: float | None = None,
    ) -> Any:
        """Fill the empty cells of rows of a root table.

        Args:
            given: A frame, an Arrow table or a dict of columns; columns that it lacks are filled too.
            table: Name of the root table; may be left out where there is one.
            method: ``draw`` fills in what could have been: variety is kept, and another seed gives another
                completion. ``best`` fills in the median of a number or moment and the mode of a category.
            seed: Source of all randomness; None for the model's own.
            empty_is_missing: Columns in which an empty cell is known to be missing and stays so.
            allow_missing: Whether a cell may be filled with a missing value where the source has such.
            temperature: Above 1 draws more variety than was learned, below 1 less; None for the model's own.

        Returns:
            A frame of the same library, columns as in the model.

        Raises:
            KinsynthError: The table does not fit the model.

        Guarantees:
            Given cells come back as they are.
        """
        name = table or only_root(self.schema)
        rows = tables_from_memory({name: given})
        filled = self.fill(
            rows[name],
            name,
            method=method,
            seed=seed,
            empty_is_missing=empty_is_missing,
            allow_missing=allow_missing,
            temperature=temperature,
        )
        return as_frame(filled, flavour_of({name: given}))

    @explained()
    def fill(
        self,
        given: pa.Table,
        name: str,
        *,
        method: Method,
        seed: int | None = None,
        empty_is_missing: Sequence[str] = (),
        allow_missing: bool = False,
        temperature: float | None = None,
    ) -> pa.Table:
        """Fill the empty cells of rows of a root table; arguments as for ``impute``."""
        check_method(method)
        alone = self._alone(name)
        asked = Conditions(
            given={name: given}, empty_is_missing={name: empty_is_missing}, temperature=temperature
        )
        drawing = self.seed if seed is None else seed
        filled = _filled(alone, name, asked, method, drawing)
        table = self.codec.tables[name]
        left = [
            column
            for column in fillable(table, self.schema)
            if column not in empty_is_missing and filled[column].null_count
        ]
        if left and not allow_missing:
            # Only then: a cell that is kept from being missing would mislead those that are drawn beside it.
            known = _forget(filled, given, table.computed)
            again = replace(asked, given={name: known}, no_missing={name: left})
            filled = _filled(alone, name, again, method, drawing)
        return filled

    def _alone(self, name: str) -> Model:
        """Give the model of one root table and the lookups."""
        outline = self.outline.alone(name)
        return replace(
            self,
            schema=outline.schema,
            codec=outline.codec,
            networks={name: self.networks[name]},
            rows=outline.rows,
            graph=None,
        )

    @explained()
    def save(self, path: str | Path) -> None:
        """Write the model to a new folder, from which ``load`` reads it.

        Raises:
            UserError: The path exists already.
        """
        target = Path(path)
        if target.exists():
            raise UserError(
                "model.exists", "The path exists already.", where=str(target), remedy="Choose another."
            )
        temporary = target.with_name(f".{target.name}.tmp")
        for number, network in enumerate(self.networks.values()):
            save_network(network_path(temporary, number), network)
        self.describe(temporary)
        commit(temporary, target)

    def describe(self, folder: Path) -> None:
        """Write everything but the networks; ``model.json`` comes last and makes the folder a model."""
        save_tables(folder / "originals", self.originals)
        write_json(folder / "schema.json", write_schema(self.schema))
        write_json(folder / "codecs.json", self.codec.to_json(), indent=None)
        document = {
            "version": VERSION,
            "name": self.name,
            "rows": dict(self.rows),
            "seed": self.seed,
            "temperature": self.temperature,
            "batch_roots": self.batch_roots,
            "flavour": self.flavour,
            "limits": [asdict(limit) for limit in self.limits],
            "keys": "generated" if self.graph is None else "copied",
        }
        if self.graph is not None:
            save_graph(folder / GRAPH, self.graph)
        write_json(folder / "model.json", document)

    def wanted(self, rows: Mapping[str, int], conditions: Conditions | None = None) -> dict[str, int]:
        """Give the rows of every root table, as ``Outline.wanted``."""
        return self.outline.wanted(rows, conditions or Conditions())


@explained()
def load_model(folder: Path) -> Model:
    """Read a model that was stored in a folder.

    Raises:
        UserError: The folder holds no model of this version.
    """
    document = read_facts(folder)
    outline = load_outline(folder)
    return Model(
        name=document["name"],
        schema=outline.schema,
        codec=outline.codec,
        networks={name: load_network(network_path(folder, n)) for n, name in enumerate(outline.codec.names)},
        originals=outline.originals,
        rows=outline.rows,
        seed=document["seed"],
        temperature=document["temperature"],
        batch_roots=document["batch_roots"],
        flavour=document["flavour"],
        limits=tuple(Finding(**limit) for limit in document["limits"]),
        graph=outline.graph,
    )


def network_path(folder: Path, number: int) -> Path:
    """Give the file of the network of the n-th synthesised table."""
    return folder / "tables" / f"{number:03}.safetensors"


def gather(blocks: Iterable[SampledBlock], roots: int) -> Iterator[list[SampledBlock]]:
    """Gather blocks of one root table until they have at least so many roots."""
    batch: list[SampledBlock] = []
    size = 0
    for block in blocks:
        if batch and (size >= roots or block.root != batch[0].root):
            yield batch
            batch, size = [], 0
        batch.append(block)
        size += block.subjects
    if batch:
        yield batch


def _filled(model: Model, name: str, asked: Conditions, method: Method, seed: int) -> pa.Table:
    """Fill the empty cells of the only root table."""
    if method == "draw":
        return model.draw(seed=seed, conditions=asked).tables[name]
    rows = asked.given[name].num_rows
    ready = model.prepared({}, asked)[1]
    batches = best_rows(
        _restricted(model.networks, ready.codec)[name],
        ready,
        name,
        rows=rows,
        originals=model.originals,
        seed=derive_seed(seed, "sample"),
        temperature=model.temperature if asked.temperature is None else asked.temperature,
    )
    made = assemble(batches, ready.codec, ready.schema, originals=model.originals, known=ready.known)
    return made.tables[name]


def _forget(filled: pa.Table, given: pa.Table, columns: Collection[str]) -> pa.Table:
    """Put computed columns back to what was given of them: their sources may get other values."""
    kept = filled.select([name for name in filled.column_names if name not in columns])
    for name in (one for one in given.column_names if one in columns):
        kept = kept.append_column(name, given[name])
    return kept


def _restricted(networks: Mapping[str, TableModel], codec: DatabaseCodec) -> dict[str, TableModel]:
    """Give the networks with the codes that restricted codecs forbid."""
    return {
        name: replace(network, layout=replace(network.layout, sub_columns=codec.sub_columns(name)))
        for name, network in networks.items()
    }


def _join(blocks: list[SampledBlock]) -> dict[str, Drawn]:
    encoded, pointed = concatenate(blocks), concatenate_pointed(blocks)
    ids: dict[str, list[Any]] = {name: [] for name in encoded.tables}
    for block in in_order(blocks):
        for name, table in block.tables.items():
            ids[name].append(table.row_ids)
    return {
        name: Drawn(table, np.concatenate(ids[name]), pointed.get(name, {}))
        for name, table in encoded.tables.items()
    }
