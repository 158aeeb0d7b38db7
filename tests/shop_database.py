"""A small made-up database for end-to-end tests: regions (a lookup), shops, and their sales in order."""

from __future__ import annotations

import random
from pathlib import Path

SHOPS = 150


def write_shops(folder: Path) -> None:
    """Write it as CSV: a key with letters, dates, decimals with gaps, a lookup, 0 to 3 sales a shop."""
    chance = random.Random(1)
    folder.mkdir(parents=True)
    (folder / "region.csv").write_text("region_id,name\n" + "".join(f"{n},Region {n}\n" for n in range(1, 6)))
    shops, sales = ["shop_id,region_id,size,opened"], ["sale_id,shop_id,day,amount,kind"]
    for shop in range(SHOPS):
        size = chance.choice(["small", "medium", "large"])
        opened = f"20{chance.randint(10, 19)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}"
        shops.append(f"S{shop:04},{chance.randint(1, 5)},{size},{opened}")
        for day in sorted(chance.sample(range(10, 29), chance.choice([0, 1, 2, 3]))):
            amount = "" if chance.random() < 0.1 else f"{chance.lognormvariate(3, 1):.2f}"
            sales.append(f"{len(sales)},S{shop:04},2021-03-{day},{amount},{chance.choice('ab')}")
    (folder / "shop.csv").write_text("\n".join(shops) + "\n")
    (folder / "sale.csv").write_text("\n".join(sales) + "\n")


def shop_document(source: Path, **parts: object) -> dict[str, object]:
    """Give the document of a quick run."""
    return {
        "name": "shops",
        "source": {"paths": [str(source)]},
        "tables": {"region": {"original": True}},
        "training": {"max_epochs": 6, "threads": 1, "model_size": "small", "training_steps": 3},
        "generation": {"seed": 7},
        **parts,
    }
