"""Draws a tree as nested lists: side by side where there is room, one below the other else."""

from __future__ import annotations

from collections import defaultdict

from markupsafe import Markup

from raikit.report.tables import framed
from raikit.report.tags import tag
from raikit.report.words import number
from stepkit.findings import Node, Tree

#: With more leaves than these a tree is too wide to stand side by side.
_MOST_LEAVES = 6


def draw_tree(tree: Tree) -> Markup:
    """Return a tree from its root down, greater values darker."""
    if not tree.nodes:
        return tag("p", "There is no tree to draw.", class_="empty")
    below: dict[int, list[int]] = defaultdict(list)
    for place, node in enumerate(tree.nodes):
        if node.parent is not None:
            below[node.parent].append(place)
    values = [node.value for node in tree.nodes if node.value is not None]
    least, most = (min(values), max(values)) if values else (0.0, 1.0)

    def branch(place: int) -> Markup:
        node = tree.nodes[place]
        share = 0.0 if node.value is None else (node.value - least) / (most - least or 1.0)
        card = _card(node, tree.format, share)
        children = [branch(child) for child in below[place]]
        return tag("li", card, tag("ul", *children) if children else "")

    leaves = sum(1 for place in range(len(tree.nodes)) if place not in below)
    style = "tree wide" if leaves <= _MOST_LEAVES else "tree"
    return framed(tag("ul", branch(0), class_=style), "tree")


def _card(node: Node, form: str, share: float) -> Markup:
    return tag(
        "div",
        tag("span", node.condition or "all rows", class_="condition"),
        tag("strong", number(node.value, form)),
        tag("small", f"{node.count:,} rows"),
        tag("small", node.note) if node.note else "",
        class_="node",
        style=f"--v:{share:.2f}",
    )
