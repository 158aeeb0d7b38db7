import io
import re
import tempfile

import numpy as np
import pytest
from matplotlib.image import imread

from kinsynth.evaluation.results import Evaluation
from kinsynth.report import render
from kinsynth.report.document import compose
from kinsynth.report.pdf import paint, typeset

EMPTY = Evaluation(accuracy=None, privacy=None, has_holdout=False, tables=(), relations=())


def test_same_evaluation_same_bytes(evaluation):
    first, second = (render(evaluation, name="Report", facts={"Seed": "42"}) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF-")


def test_no_date_no_host_no_path(evaluation):
    pdf = render(evaluation, name="Report")
    assert not re.search(rb"/CreationDate|/ModDate|CreateDate|kinsynth-report-", pdf)
    assert tempfile.gettempdir().encode() not in pdf


def test_nothing_to_compare_still_makes_a_report():
    assert render(EMPTY, name="Nothing").startswith(b"%PDF-")


@pytest.mark.parametrize(
    "name", ['#panic("x")', "$ unclosed", "*b* _c_ `d`", "]", "\\", "", "a\x00b", "x" * 500]
)
def test_names_are_text_never_markup(name):
    assert render(EMPTY, name=name, facts={name: name}).startswith(b"%PDF-")


def test_names_in_other_scripts_make_a_report():
    assert render(EMPTY, name="東京 🎉 العربية").startswith(b"%PDF-")


def test_the_document_holds_only_plain_data(evaluation):
    document = compose(evaluation, name="x", facts={"a": "b"})

    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(item) for key, item in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return value is None or isinstance(value, (str, int, float, bool))

    assert plain(document.content)
    assert typeset(document) == render(evaluation, name="x", facts={"a": "b"})


def test_every_table_relation_and_metric_is_there(evaluation):
    content = compose(evaluation, name="x", facts={}).content
    assert [table["name"] for table in content["tables"]] == ["parents", "children"]
    assert len(content["relations"]) == len(evaluation.relations) == 1
    titles = {metric["title"] for table in content["tables"] for metric in table["neighbours"]["metrics"]}
    assert {"Exact copies", "Training rows at risk", "Membership guess"} <= titles


def test_a_copied_graph_of_keys_is_said_where_the_relations_are(evaluation):
    plain, copied = (
        compose(evaluation, name="x", facts={}, copied_keys=one).content for one in (False, True)
    )
    assert plain["copied_keys"] == ""
    assert "who is connected with whom" in copied["copied_keys"]
    assert copied["relations"][0]["words"].startswith("Copied")
    assert not plain["relations"][0]["words"].startswith("Copied")
    assert render(evaluation, name="x", copied_keys=True).startswith(b"%PDF-")


def test_a_successful_attack_is_marked():
    from report_toys import database

    from kinsynth.evaluation import evaluate
    from kinsynth.report.colours import POOR

    copied = evaluate(database(1), database(1), holdout=database(3))
    metrics = compose(copied, name="x", facts={}).content["tables"][0]["neighbours"]["metrics"]
    assert {"Exact copies", "Training rows at risk", "Membership guess"} <= {
        metric["title"] for metric in metrics if metric["colour"] == POOR
    }


def test_a_report_without_holdout_is_complete(evaluation):
    from report_toys import database

    from kinsynth.evaluation import evaluate

    alone = evaluate(database(1), database(2))
    assert render(alone, name="x").startswith(b"%PDF-")
    content = compose(alone, name="x", facts={}).content
    assert not content["holdout"]
    privacy = content["scores"][1]
    assert (privacy["value"], privacy["verdict"]) == ("–", "not measured")
    assert privacy["words"].startswith("No rows were held out to compare with")
    copied = compose(evaluate(database(1), database(1)), name="x", facts={}).content["scores"][1]
    assert copied["verdict"] == "not measured"
    assert "given away" in copied["words"]


def test_scores_have_words_and_colours():
    def score(accuracy):
        evaluation = Evaluation(
            accuracy=accuracy, privacy=accuracy, has_holdout=True, tables=(), relations=()
        )
        return compose(evaluation, name="x", facts={}).content["scores"]

    assert [score(value)[0]["verdict"] for value in (10, 8.5, 7, 5, 1, None)] == [
        "excellent",
        "good",
        "fair",
        "weak",
        "poor",
        "not measured",
    ]
    assert score(10)[1]["words"] != score(3)[1]["words"]
    assert score(10)[0]["colour"] != score(3)[0]["colour"]


def filled(page):
    """Give the share of a page's height that holds something, header and footer aside."""
    rows = imread(io.BytesIO(page))[..., :3].min(axis=(1, 2))
    used = np.flatnonzero(rows[int(0.07 * len(rows)) : int(0.93 * len(rows))] < 0.9)
    return 0.0 if not len(used) else used[-1] / (0.86 * len(rows))


def test_no_page_before_the_last_is_nearly_empty(evaluation):
    pages = paint(compose(evaluation, name="x", facts={"Seed": "1"}), pixels_per_inch=25)
    assert len(pages) > 3
    assert min(filled(page) for page in pages[:-1]) > 0.6


def test_a_report_about_nothing_takes_two_pages_at_most():
    assert len(paint(compose(EMPTY, name="x", facts={}), pixels_per_inch=10)) <= 2


def test_what_differs_most_is_named_once_and_in_order(evaluation):
    highlights = compose(evaluation, name="x", facts={}).content["highlights"]
    assert [kind["title"] for kind in highlights] == [
        "Columns",
        "Pairs of columns",
        "Rows that point at a row",
    ]
    columns = sorted(column.similarity.value for table in evaluation.tables for column in table.columns)
    assert [line["similarity"] for line in highlights[0]["lines"]] == [
        f"{100 * value:.1f} %".replace("100.0", "100") for value in columns[:3]
    ]
    for kind in highlights:
        names = [tuple(line["names"]) for line in kind["lines"]]
        assert len(set(names)) == len(names) <= 3


def test_an_attack_within_chance_is_not_red():
    from kinsynth.evaluation.results import Metric
    from kinsynth.report.colours import FAIR, INK, POOR
    from kinsynth.report.document import _attack_shade

    def shade(low, risk):
        metric = Metric(name="x", value=0.1, interval=(low, 0.2), reference=0.05, direction="lower")
        return _attack_shade(metric, risk)

    assert [shade(0.04, 0.0), shade(0.04, 0.1), shade(0.06, 0.0), shade(0.06, 0.1)] == [INK, INK, FAIR, POOR]
