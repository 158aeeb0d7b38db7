import re
import tempfile

import pytest

from kinsynth.evaluation.results import Evaluation
from kinsynth.report import render
from kinsynth.report.document import compose
from kinsynth.report.pdf import typeset

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
    assert not compose(alone, name="x", facts={}).content["holdout"]


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
