"""Drives an installation from Python, from files to a synthetic database.

    export KINSYNTH_SERVER=http://127.0.0.1:8642 KINSYNTH_TOKEN=...
    python examples/platform_client.py FOLDER RESULTS [ORIGINAL_TABLE ...]

FOLDER holds the tables of a database; tables that are named are lookups without personal data and are
delivered as they are: for the bank of Berka that is ``district``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kinsynth.client import Client, failure_of
from kinsynth.connectors.content import ENDINGS


def main(folder: Path, results: Path, *originals: str) -> None:
    """Upload, detect, configure, check, execute, follow, download."""
    with Client(os.environ["KINSYNTH_SERVER"], os.environ["KINSYNTH_TOKEN"]) as client:
        files = [path for path in sorted(folder.iterdir()) if path.suffix in ENDINGS]
        source_id, version = client.put_source(folder.name, files)
        print(f"source {source_id}, version {version}: {len(files)} files")

        found = client.detect(source_id, version)
        for table in found["tables"]:
            print(f"  {table['name']}: {table['rows']} rows, key {', '.join(table['primary_key']) or 'none'}")
        document = found["document"]
        for table in originals:
            document["tables"][table]["original"] = True
        document["roots"] = "many"  # tables that belong to nobody may be several
        document["training"] = {"max_epochs": int(os.environ.get("EPOCHS", "100"))}

        synthesis = client.create_synthesis(source_id, folder.name, document)
        checked = client.check(synthesis["id"])
        for finding in checked["findings"]:
            print(f"  {finding['severity']}: {finding['where']}: {finding['message']}")
        if checked["assessment"] is None:
            raise SystemExit("The document must be repaired first.")
        print(f"about {checked['assessment']['seconds']:.0f} s")

        execution = client.run(synthesis["id"], seed=7)
        for event in client.follow(execution["id"]):
            print(f"  {event['kind']} {event.get('step', '')} {event.get('message', '')}".rstrip())
        execution = client.execution(execution["id"])
        if (failure := failure_of(execution)) is not None:
            raise failure

        for row in client.preview(execution["id"], found["tables"][0]["name"], limit=3)["rows"]:
            print(" ", row)
        client.fetch(execution["id"], "report.pdf", results / "report.pdf")
        print(client.download(execution["id"], "parquet", results))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
