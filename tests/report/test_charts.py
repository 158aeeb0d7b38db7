import xml.etree.ElementTree as ET

import pytest

from kinsynth.evaluation.results import Distribution
from kinsynth.report.charts import draw_counts, draw_distribution, draw_gauge, draw_pairs, moment, number
from kinsynth.report.document import compose
from kinsynth.report.pdf import draw


def test_every_figure_of_a_report_is_sound_svg(evaluation):
    document = compose(evaluation, name="x", facts={})
    assert {figure.kind for figure in document.figures.values()} == {
        "gauge",
        "distribution",
        "pairs",
        "distances",
        "counts",
        "overview",
    }
    for figure in document.figures.values():
        root = ET.fromstring(draw(figure))
        assert root.tag.endswith("svg")
        assert figure.alt


def test_every_column_type_has_a_chart(evaluation):
    columns = evaluation.tables[0].columns
    assert {column.type for column in columns} == {
        "boolean",
        "categorical",
        "integer",
        "numeric",
        "date",
        "time",
        "datetime",
        "coordinates",
    }
    for column in columns:
        assert (column.distribution is None) == (column.name == "nothing")
        if column.distribution is not None:
            assert b"<svg" in draw_distribution(column.distribution)


def test_a_chart_is_the_same_every_time_whatever_the_process_has_set(evaluation):
    import matplotlib as mpl

    distribution = evaluation.tables[0].columns[0].distribution
    first = draw_distribution(distribution)
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        assert draw_distribution(distribution) == first
        assert mpl.rcParams["font.size"] == 20


@pytest.mark.parametrize("label", ["$x^2$", "</text>", "a\x00b", "&", "東京", "\ud800"])
def test_no_label_breaks_a_chart(label):
    shares = Distribution(labels=(label, "b"), original=(0.5, 0.5), synthetic=(1.0, 0.0))
    ET.fromstring(draw_distribution(shares))
    ET.fromstring(draw_counts(shares, label))
    ET.fromstring(draw_pairs((label, "b"), ((1, 0), (0, 1)), ((1, 0.5), (0.5, 1))))


@pytest.mark.parametrize(
    ("edges", "scale"),
    [
        ((-1e300, 0.0, 1e300), "number"),
        ((0.0, 1e-300, 2e-300), "number"),
        ((-719162.0, 0.0, 2932896.0), "date"),
        ((-9e6, 0.0, 9e6), "date"),
        ((-9e18, 0.0, 9e18), "datetime"),
        ((0.0, 1e6, 86_400e6), "time"),
        ((1.0, 2.0, 3.0), "datetime"),
    ],
)
def test_extreme_axes_can_be_drawn(edges, scale):
    ET.fromstring(
        draw_distribution(
            Distribution(
                edges=edges, scale=scale, original=(0.5, 0.5), synthetic=(0.0, 1.0), holdout=(1.0, 0.0)
            )
        )
    )


def test_axes_are_labelled_as_what_they_are():
    def shown(scale, low, high, value):
        return moment(value, Distribution(edges=(low, high), scale=scale, original=(1.0,), synthetic=(1.0,)))

    assert shown("date", 0, 20_000, 365) == "1971"
    assert shown("date", 0, 200, 31) == "1970-02"
    assert shown("date", 0, 20, 31) == "1970-02-01"
    assert shown("datetime", 0, 86_400e6, 3_600e6) == "01-01 01:00"
    assert shown("time", 0, 86_400e6, 13.5 * 3600e6) == "13:30"
    assert number(1234567) == "1.235M"


@pytest.mark.parametrize("score", [None, 0.0, 0.1, 10.0])
def test_a_gauge_shows_any_score(score):
    ET.fromstring(draw_gauge(score, "#000000"))
