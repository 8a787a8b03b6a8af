"""Drawings of blocks: the same numbers as text, nothing lost, nothing run over."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.unit.raikit.report import example

from raikit.report.blocks import Limits, draw_blocks, picture_file
from raikit.report.charts import MOST_POINTS, draw_chart
from raikit.report.sliders import MOST_STEPS, draw_thresholds, rates_of
from raikit.report.tables import draw_bars, draw_grid, draw_table
from raikit.report.trees import draw_tree
from stepkit.findings import Bars, Chart, Choice, Grid, Line, Node, Picture, Table, Thresholds, Tree

ALL = Limits(rows=1000, options=100, pictures=True)


def test_a_chart_has_its_numbers_as_a_table_too() -> None:
    chart = Chart([Line("a", [1, 2], [0.5, None]), Line("b", [2], [0.25])], "x", "y")
    drawn = str(draw_chart(chart))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", drawn)
    assert cells == ["1", "0.5", "\u2013", "2", "\u2013", "0.25"]
    assert 'aria-label="y over x. a: from 0.5 to 0.5' in drawn


def test_a_line_breaks_where_it_has_no_value() -> None:
    drawn = str(draw_chart(Chart([Line("a", [0, 1, 2, 3], [1, 2, None, 1])], "x", "y")))
    path = re.search(r' d="([^"]*)"', drawn)[1]
    assert path.count("M") == 2


def test_a_step_goes_across_and_then_up() -> None:
    drawn = str(draw_chart(Chart([Line("a", [0, 1], [0, 1], style="step")], "x", "y")))
    assert re.search(r' d="M58.0 246.0H456.0V12.0"', drawn)


def test_what_has_no_place_on_a_logarithmic_axis_is_left_out() -> None:
    drawn = str(draw_chart(Chart([Line("a", [0, 1, 10], [1, 2, 3])], "x", "y", log_x=True)))
    assert len(re.findall(r"<tr data-at", drawn)) == 2


def test_a_long_line_is_thinned_and_keeps_its_ends() -> None:
    x = list(range(10_000))
    drawn = str(draw_chart(Chart([Line("a", x, x)], "x", "y")))
    path = re.search(r' d="([^"]*)"', drawn)[1]
    assert path.count("L") == MOST_POINTS - 1
    assert path.startswith("M58.0 ")
    assert "L456.0 " in path


@pytest.mark.parametrize(
    "chart",
    [
        Chart([], "x", "y"),
        Chart([Line("a", [], [])], "x", "y"),
        Chart([Line("a", [1], [None])], "x", "y"),
    ],
)
def test_a_chart_of_nothing_says_so(chart: Chart) -> None:
    assert "no values to draw" in draw_chart(chart)


def test_numbers_of_a_table_keep_their_exact_value_for_sorting() -> None:
    table = Table(["name", "share"], [["a", 0.12345], ["b", None]], {"share": ".1%"})
    drawn = str(draw_table(table, 10))
    assert '<td class="n" data-v="0.12345">12.3%</td>' in drawn
    assert '<th scope="col" class="n">share</th>' in drawn


@pytest.mark.parametrize(
    ("values", "direction"), [([1, 2, 3], "ascending"), ([3, 2, None], "descending")]
)
def test_a_sorted_column_says_so(values: list[float | None], direction: str) -> None:
    table = Table(["n"], [[value] for value in values], {}, sorted_by="n")
    assert f'aria-sort="{direction}"' in draw_table(table, 10)


def test_rows_that_are_left_out_are_counted() -> None:
    drawn = draw_table(Table(["n"], [[n] for n in range(50)], {}), 20)
    assert str(drawn).count("<tr>") == 21
    assert "30 more rows" in drawn


def test_a_table_without_rows() -> None:
    assert "<th" in draw_table(Table(["n", "m"], [], {}), 20)


def test_bars_share_one_scale_with_their_intervals() -> None:
    drawn = str(draw_bars(Bars(["a", "b"], [3, -1], "effect", [2, -1.5], [4.5, -0.5]), 10))
    # From -1.5 to 4.5: nothing is at a quarter, 3 half the way further.
    assert 'class="fill" style="left:25.0%;width:50.0%"' in drawn
    assert 'class="fill minus" style="left:8.3%;width:16.7%"' in drawn
    assert "3 (2 to 4.5)" in drawn


def test_a_heat_map_is_darkest_at_its_greatest() -> None:
    grid = Grid(["f", "m"], ["a"], [[0.1, 0.3]], [[5, 6]], "sex", "age")
    drawn = str(draw_grid(grid))
    assert 'style="--v:0.00">10.0%' in drawn
    assert 'style="--v:1.00">30.0% <small>6 rows' in drawn
    empty = draw_grid(Grid(["f"], ["a"], [[None]], [[0]], "sex", "age"))
    assert "\u2013" in empty


def test_a_tree_nests_as_its_nodes_do() -> None:
    nodes = [
        Node(None, "", 0.1, 9),
        Node(0, "a", 0.2, 5),
        Node(0, "b", None, 4),
        Node(1, "c", 0.3, 1),
    ]
    drawn = str(draw_tree(Tree(nodes)))
    outline = re.sub(
        r"<(?!/?(?:ul|li)\b)[^>]*>|[^<>]*(?=<)|\s(?:class|style)=\"[^\"]*\"", "", drawn
    )
    assert outline == "<ul><li><ul><li><ul><li></li></ul></li><li></li></ul></li></ul>"
    assert "no tree" in draw_tree(Tree([]))


def test_rates_follow_from_the_counts() -> None:
    assert rates_of(30, 10, 20, 40) == {
        "precision": 0.75,
        "recall": 0.6,
        "alarms": 0.2,
        "accuracy": 0.7,
        "selected": 0.4,
    }
    assert rates_of(0, 0, 0, 0) == dict.fromkeys(rates_of(1, 1, 1, 1))


def test_the_slider_begins_at_the_chosen_threshold() -> None:
    block = Thresholds(
        [0.9, 0.5, 0.1], [1, 2, 3], [0, 1, 4], [2, 1, 0], [5, 4, 1], "yes", 0.45, 1, 2
    )
    drawn = str(draw_thresholds(block))
    counts = json.loads(re.search(r'data-counts="([^"]*)"', drawn)[1].replace("&#34;", '"'))
    assert counts == {
        "threshold": [0.1, 0.5, 0.9],
        "tp": [3, 2, 1],
        "fp": [4, 1, 0],
        "fn": [0, 1, 2],
        "tn": [1, 4, 5],
    }
    assert 'value="1" data-in="place"' in drawn
    # One false alarm for 1, one miss for 2.
    assert 'data-out="cost">3<' in drawn


def test_a_slider_of_many_thresholds_keeps_the_chosen_one() -> None:
    steps = [n / 5000 for n in range(5001)]
    block = Thresholds(steps, steps, steps, steps, steps, "yes", chosen=0.1234)
    drawn = str(draw_thresholds(block))
    counts = json.loads(re.search(r'data-counts="([^"]*)"', drawn)[1].replace("&#34;", '"'))
    assert len(counts["threshold"]) <= MOST_STEPS + 1
    assert 0.1234 in counts["threshold"]
    assert 'data-out="threshold">0.123<' in drawn


def test_options_open_and_close_without_a_script() -> None:
    choice = Choice("row", {f"row {n}": [Bars(["a"], [n], "x")] for n in range(30)})
    drawn = str(draw_blocks([choice], None, Limits(rows=5, options=10, pictures=True)))
    assert drawn.count("<details") == 10
    assert drawn.count("<details open>") == 1
    assert "20 more are in the files" in drawn


def test_a_picture_is_within_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    drawn = draw_blocks([Picture("a.png", 'a "plot"')], tmp_path, ALL)
    assert 'src="data:image/png;base64,iVBORw0KGgpyZXN0" alt="a &#34;plot&#34;"' in drawn


def test_only_pictures_of_the_step_are_taken(tmp_path: Path) -> None:
    step = tmp_path / "step"
    step.mkdir()
    (tmp_path / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (step / "text.png").write_text("<svg>")
    for name in ("../secret.png", str(tmp_path / "secret.png"), "text.png", "missing.png"):
        assert picture_file(Picture(name, "?"), step) is None
        assert "is not there: what it shows" in draw_blocks(
            [Picture(name, "what it shows")], step, ALL
        )
    assert picture_file(Picture("a.png", "?"), None) is None


def test_plain_words_stand_before_every_drawing() -> None:
    for part in example.report().parts:
        for section in part.sections:
            drawn = str(draw_blocks(section.blocks, None, ALL))
            for figure in re.findall(r"<figure.*?</figure>", drawn, re.DOTALL):
                is_table = figure.startswith('<figure class="table"')
                assert is_table or figure.index('class="reading"') < figure.index(
                    "<svg" if "<svg" in figure else "<table" if "<table" in figure else "<ul"
                )


def test_lines_without_a_name_share_colour_and_legend_of_the_one_before() -> None:
    x, y = [0.0, 1.0], [1.0, 2.0]
    lines = [Line("rows", x, y), Line("", x, y), Line("", x, y), Line("mean", x, y)]
    drawn = str(draw_chart(Chart(lines, "x", "y")))
    legend = drawn.partition("</ul>")[0]
    assert legend.count("<li>") == 2
    assert "c0" in legend
    assert "c3" in legend
    assert "c1" not in drawn
