"""Model: what was learned of a database; draws synthetic databases of any size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kinsynth.connectors.frames import Flavour, as_frame
from kinsynth.engine.checkpoint import TableModel
from kinsynth.engine.checkpoint import load_model as load_network
from kinsynth.engine.checkpoint import save_model as save_network
from kinsynth.engine.sampler import SampledBlock, concatenate, sample
from kinsynth.errors import SettingsError, UserError
from kinsynth.pipeline.artefacts import load_tables, save_tables
from kinsynth.pipeline.codecs import DatabaseCodec
from kinsynth.pipeline.encoding import Decoded, Drawn, assemble, decode
from kinsynth.pipeline.plan import derive_seed
from kinsynth.schema.database import Database
from kinsynth.schema.document import read_schema, write_schema
from kinsynth.schema.table import Schema
from kinsynth.system.failures import explained
from kinsynth.system.files import commit, read_json, write_json

VERSION = 1
BATCH_ROOTS = 8_192
OnShare = Callable[[float, str], None]


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

    @explained()
    def draw(
        self,
        rows: Mapping[str, int] | None = None,
        *,
        seed: int | None = None,
        on_share: OnShare = lambda _share, _message: None,
    ) -> Database:
        """Draw a synthetic database.

        Args:
            rows: Rows of each root table; a table that is missing gets the number found in the source.
            seed: Source of all randomness; None for the model's own.
            on_share: Told the share done, between 0 and 1.

        Returns:
            A database with the model's schema, original tables included.

        Raises:
            SettingsError: ``rows`` names a table that is no root table, or a negative number.

        Guarantees:
            The same model, rows and seed give the same bytes. The first n roots are the same for any
            number of roots.
        """
        wanted = self.wanted(rows or {})
        drawing = derive_seed(self.seed if seed is None else seed, "sample")
        batches: list[Decoded] = []
        before: Counter[str] = Counter()
        done, total = 0, max(1, sum(wanted.values()))
        blocks = sample(self.networks, wanted, seed=drawing, temperature=self.temperature)
        for batch in gather(blocks, self.batch_roots):
            batches.append(decode(_join(batch), self.codec, self.schema, seed=drawing, before=before))
            before.update(batches[-1].rows)
            done += batches[-1].rows[batch[0].root]
            on_share(0.9 * done / total, f"{done:,} of {total:,} root rows")
        return assemble(batches, self.codec, self.schema, originals=self.originals)

    def sample(self, rows: Mapping[str, int] | None = None, seed: int | None = None) -> dict[str, Any]:
        """Draw synthetic tables by name, as data frames of the library the model was fitted with."""
        database = self.draw(rows, seed=seed)
        return {name: as_frame(table, self.flavour) for name, table in database.tables.items()}

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
        write_json(folder / "codecs.json", self.codec.to_json())
        document = {
            "version": VERSION,
            "name": self.name,
            "rows": dict(self.rows),
            "seed": self.seed,
            "temperature": self.temperature,
            "batch_roots": self.batch_roots,
            "flavour": self.flavour,
        }
        write_json(folder / "model.json", document)

    def wanted(self, rows: Mapping[str, int]) -> dict[str, int]:
        """Give the rows of every root table; those that are not named get the model's number."""
        for name, number in rows.items():
            if name not in self.rows:
                raise SettingsError(
                    "settings.rows_not_root",
                    f"Rows can be given for root tables only; these are {', '.join(self.rows)}.",
                    where=f"generation.rows.{name}",
                    remedy="Name a root table.",
                )
            if number < 0:
                raise SettingsError(
                    "settings.invalid",
                    f"rows={number}: expected 0 or more.",
                    where=f"generation.rows.{name}",
                    remedy="Give a number of rows.",
                )
        return {name: rows.get(name, found) for name, found in self.rows.items()}


@explained()
def load_model(folder: Path) -> Model:
    """Read a model that was stored in a folder.

    Raises:
        UserError: The folder holds no model of this version.
    """
    path = folder / "model.json"
    if not path.is_file():
        raise UserError(
            "model.not_found",
            "The folder holds no finished model.",
            where=str(folder),
            remedy="Name the folder of a finished run, or of a saved model.",
        )
    document = read_json(path)
    if document.get("version") != VERSION:
        raise UserError(
            "model.version",
            f"version={document.get('version')}: expected {VERSION}.",
            where=str(path),
            remedy="Train again, or use the version of kinsynth that wrote it.",
        )
    codec = DatabaseCodec.from_json(read_json(folder / "codecs.json"))
    return Model(
        name=document["name"],
        schema=read_schema(read_json(folder / "schema.json")),
        codec=codec,
        networks={name: load_network(network_path(folder, n)) for n, name in enumerate(codec.tables)},
        originals=load_tables(folder / "originals"),
        rows=document["rows"],
        seed=document["seed"],
        temperature=document["temperature"],
        batch_roots=document["batch_roots"],
        flavour=document["flavour"],
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
        size += len(block.tables[block.root].root_R)
    if batch:
        yield batch


def _join(blocks: list[SampledBlock]) -> dict[str, Drawn]:
    encoded = concatenate(blocks)
    ids: dict[str, list[Any]] = {name: [] for name in encoded.tables}
    for block in blocks:
        for name, table in block.tables.items():
            ids[name].append(table.row_ids)
    return {name: Drawn(table, np.concatenate(ids[name])) for name, table in encoded.tables.items()}
