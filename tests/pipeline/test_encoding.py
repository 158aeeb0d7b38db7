"""Codes made in chunks are the codes made at once; memory follows the chunk, not the rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import kinsynth
from kinsynth.columns.categorical import CategoricalCodec
from kinsynth.encoded import code_type
from kinsynth.pipeline.artefacts import load_encoded, save_database, save_encoded
from kinsynth.pipeline.encoding import cut_rows, encode, encode_parts
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.inspect import inspect
from kinsynth.pipeline.review import inspect_source
from shop_database import shop_document, write_shops


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shops") / "source"
    write_shops(folder)
    synthesis = kinsynth.Synthesis.model_validate(shop_document(folder))
    database = inspect_source(synthesis, base=folder).database()
    return database, fit_codecs(database, synthesis)


def every_type(rows: int) -> pa.Table:
    rng = np.random.default_rng(1)
    whole = rng.integers(0, 900, rows)
    return pa.table(
        {
            "yes": pa.array(whole % 2 == 0),
            "word": pa.array([f"w{one % 50}" for one in whole]),
            "many": pa.array([f"c{one}" for one in rng.integers(0, 9_000, rows)]),
            "count": pa.array(whole, mask=whole % 9 == 0),
            "price": pa.array(np.round(rng.lognormal(3, 1, rows), 2)),
            "measure": pa.array(rng.normal(size=rows)),
            "day": pa.array(whole.astype(np.int32)).cast(pa.date32()),
            "hour": pa.array(whole * 60_000_000).cast(pa.time64("us")),
            "moment": pa.array(whole * 10**9 * 37, pa.timestamp("us")),
            "latitude": pa.array(45 + rng.normal(0, 0.1, rows)),
            "longitude": pa.array(9 + rng.normal(0, 0.1, rows)),
        }
    )


def test_related_tables_are_the_same_in_chunks_of_any_size(shops):
    database, codec = shops
    whole = encode(database, codec)
    assert {"shop", "sale"} == set(whole.tables)
    for rows in (1, 7, 64):
        for name, parts in encode_parts(database, codec, chunk_rows=rows).items():
            assert len(list(parts.chunks())) > 1
            again = parts.whole()
            assert np.array_equal(again.codes_RC, whole.tables[name].codes_RC)
            assert again.codes_RC.dtype == whole.tables[name].codes_RC.dtype


def test_every_type_is_the_same_in_chunks_and_from_the_disk(tmp_path):
    synthesis = kinsynth.Synthesis()
    database = inspect({"t": every_type(2_000)}, synthesis).database()
    codec = fit_codecs(database, synthesis)
    whole = encode(database, codec).tables["t"]
    save_encoded(tmp_path, encode_parts(database, codec, chunk_rows=123))
    stored = load_encoded(tmp_path).tables["t"]
    assert np.array_equal(stored.codes_RC, whole.codes_RC)
    assert stored.codes_RC.dtype == code_type(sub.cardinality for sub in whole.sub_columns) == np.uint8
    assert not stored.codes_RC.flags.writeable


def test_rows_of_one_parent_are_never_parted():
    parent_R = np.repeat(np.arange(40), np.random.default_rng(0).integers(1, 9, 40))
    for most in (1, 5, 1_000):
        cuts = cut_rows(parent_R, len(parent_R), most=most)
        assert [row for cut in cuts for row in range(cut.start, cut.stop)] == list(range(len(parent_R)))
        assert all(parent_R[cut.start] != parent_R[cut.start - 1] for cut in cuts[1:])
    assert cut_rows(None, 0, most=5) == []


MEASURE = """
import sys, resource
from pathlib import Path
from kinsynth.pipeline.artefacts import load_database, save_encoded
from kinsynth.pipeline.fitting import fit_codecs
from kinsynth.pipeline.encoding import encode_parts
import kinsynth
database = load_database(Path(sys.argv[1]))
small = {name: table.slice(0, 20_000) for name, table in database.tables.items()}
codec = fit_codecs(type(database)(database.schema, small, "original"), kinsynth.Synthesis())
def peak():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
before = peak()
save_encoded(Path(sys.argv[2]), encode_parts(database, codec, chunk_rows=10_000))
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_of_encoding_does_not_grow_with_the_rows(tmp_path: Path):
    grown = []
    for times in (2, 40):
        table = pa.concat_tables([every_type(20_000)] * times)
        folder = tmp_path / str(times)
        save_database(folder / "db", inspect({"t": table}, kinsynth.Synthesis()).database())
        command = [sys.executable, "-c", MEASURE, str(folder / "db"), str(folder / "codes")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        grown.append(int(done.stdout))
    rows_mb = 760_000 * (11 * 8 + 25) / 2**20  # what 38 times 20,000 rows more take as values and codes
    assert grown[1] - grown[0] < 0.5 * rows_mb


@pytest.mark.parametrize("wrong", [258, -254])
def test_a_wrong_code_does_not_wrap_round_to_a_right_one(monkeypatch, wrong):
    synthesis = kinsynth.Synthesis()
    database = inspect({"t": pa.table({"word": ["a", "b", "c"] * 50})}, synthesis).database()
    codec = fit_codecs(database, synthesis)
    assert encode(database, codec).tables["t"].codes_RC.dtype == np.uint8
    monkeypatch.setattr(
        CategoricalCodec, "encode", lambda _, values: np.full((len(values[0]), 1), wrong, dtype=np.int32)
    )
    with pytest.raises(ValueError, match="cardinality"):
        encode(database, codec)
