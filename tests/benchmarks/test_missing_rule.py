"""The made-up data set holds exactly the rules it is made for."""

from __future__ import annotations

from pathlib import Path

import missing_rule
from comparison.dataset import load_dataset, load_split
from comparison.metrics.missingness import rule_share, rules


def test_the_rules_are_found_in_what_is_written(tmp_path: Path) -> None:
    """Three, and no fourth by chance; fresh rows keep them."""
    missing_rule.write(tmp_path, 2000)
    dataset = load_dataset(tmp_path)
    split = load_split(tmp_path, dataset, cap=1000)
    assert sorted(rules(split.train, dataset)) == [
        ("contract", "prepaid", "notice_days"),
        ("contract", "trial", "fee"),
        ("contract", "trial", "renewal"),
    ]
    assert split.fresh is not None
    assert rule_share(split.train, split.fresh, dataset) == 1
