from __future__ import annotations

from raikit.markdown import markdown
from stepkit.findings import Bars, Choice, Grid, Node, Picture, Section, Table, Tree


def test_every_block_that_text_can_show_is_there() -> None:
    table = Table(["of", "share", "rows"], [["f", 0.25, 1200], ["m", None, 3]], {"share": ".1%"})
    tree = Tree(
        [
            Node(None, "", 0.1, 100, "all"),
            Node(0, "age <= 30", 0.2, 40, "80%"),
            Node(0, "age > 30", None, 0, "20%"),
            Node(1, "sex is f", 0.3, 10, "30%"),
        ]
    )
    grid = Grid(["a", "b"], ["r"], [[0.5, None]], [[4, 0]], "x", "y")
    section = Section(
        "Groups",
        ["Words first."],
        [
            Choice("groups", {"sex": [table]}),
            tree,
            grid,
            Picture("p.png", "a plot"),
            Bars(["f"], [1.0], "share"),
        ],
        "warning",
    )
    text = markdown("Title", [section])
    assert text.startswith(
        "# Title\n\n## Groups\n\n**Look at this.**\n\nWords first.\n\n### By sex"
    )
    assert "| f | 25.0% | 1200 |" in text
    assert "| m |  | 3 |" in text
    lines = text.splitlines()
    start = lines.index("- all rows: 10.0% of 100 rows, all")
    assert lines[start + 1 : start + 4] == [
        "  - age <= 30: 20.0% of 40 rows, 80%",
        "    - sex is f: 30.0% of 10 rows, 30%",
        "  - age > 30: no rows of 0 rows, 20%",
    ]
    assert "| r | 50.0% of 4 |  |" in text
    assert "![a plot](p.png)" in text
