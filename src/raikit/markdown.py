"""Sections of a report as Markdown, for a step's `report.md`."""

from __future__ import annotations

from collections.abc import Sequence

from stepkit.findings import Bars, Block, Choice, Grid, Picture, Section, Table, Tree
from stepkit.program import markdown_table

_VERDICTS = {"good": "Good.", "warning": "**Look at this.**", "bad": "**Bad.**", "": ""}


def markdown(title: str, sections: Sequence[Section]) -> str:
    """Return sections as one page: words first, then tables, trees as lists, and pictures.

    Of what a reader picks from, all is there. Charts and sliders are left to the report that can
    draw them.
    """
    parts = [f"# {title}"]
    for section in sections:
        parts.append(f"## {section.title}")
        parts += [_VERDICTS[section.verdict], *section.words]
        parts += [text for block in section.blocks for text in _texts(block)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _texts(block: Block) -> list[str]:
    if isinstance(block, Table):
        return [block.caption, block.markdown()]
    if isinstance(block, Picture):
        return [f"![{block.alt}]({block.file})"]
    if isinstance(block, Choice):
        return [
            text
            for name, blocks in block.options.items()
            for text in (f"### By {name}", *(t for each in blocks for t in _texts(each)))
        ]
    if isinstance(block, Grid):
        return [block.caption, _grid(block)]
    if isinstance(block, Tree):
        return [block.caption, _tree(block)]
    # Bars repeat what a table or a picture beside them says.
    return [] if isinstance(block, Bars) else [getattr(block, "caption", "")]


def _grid(block: Grid) -> str:
    rows = [
        (
            name,
            *(
                "" if value is None else f"{format(value, block.format)} of {count:,}"
                for value, count in zip(values, counts, strict=True)
            ),
        )
        for name, values, counts in zip(block.y, block.values, block.counts, strict=True)
    ]
    return markdown_table((f"{block.y_label} / {block.x_label}", *block.x), rows)


def _tree(block: Tree) -> str:
    children: dict[int | None, list[int]] = {}
    for number, node in enumerate(block.nodes):
        children.setdefault(node.parent, []).append(number)
    lines = []
    waiting = [(number, 0) for number in children[None]]
    while waiting:
        number, depth = waiting.pop(0)
        node = block.nodes[number]
        value = "no rows" if node.value is None else format(node.value, block.format)
        lines.append(
            f"{'  ' * depth}- {node.condition or 'all rows'}: {value} of {node.count:,} rows, "
            f"{node.note}"
        )
        waiting[:0] = [(child, depth + 1) for child in children.get(number, ())]
    return "\n".join(lines)
