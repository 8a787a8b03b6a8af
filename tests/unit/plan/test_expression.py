from __future__ import annotations

import pytest

from amlocal.plan.expression import (
    Optional,
    Reference,
    Text,
    parse,
    references,
    references_with_optional,
    sole_reference,
)


def test_text_around_references_is_kept() -> None:
    assert parse("python t.py --x ${{inputs.x}}/f.json") == (
        Text("python t.py --x ", 0),
        Reference(("inputs", "x"), 16),
        Text("/f.json", 29),
    )


def test_spaces_inside_an_expression_do_not_matter() -> None:
    assert sole_reference("${{ parent.inputs.x }}") == Reference(("parent", "inputs", "x"))


@pytest.mark.parametrize("text", ["echo ${HOME} $x", "", "awk '{print $1}'", "${{unclosed", "$[["])
def test_the_shells_own_dollars_stay_text(text: str) -> None:
    assert references(text) == ()
    assert "".join(part.text for part in parse(text) if isinstance(part, Text)) == text


def test_optional_groups_hold_their_own_parts() -> None:
    (text, group, rest) = parse("a $[[--x ${{inputs.x}} --y ${{inputs.y}}]] b")
    assert (text, rest) == (Text("a ", 0), Text(" b", 42))
    assert isinstance(group, Optional)
    assert [str(p) for p in group.parts if isinstance(p, Reference)] == [
        "${{inputs.x}}",
        "${{inputs.y}}",
    ]


def test_references_say_whether_they_are_optional() -> None:
    found = references_with_optional("${{inputs.a}} $[[ ${{inputs.b}} ]]")
    assert [(ref.path[-1], optional) for ref, optional in found] == [("a", False), ("b", True)]


@pytest.mark.parametrize("text", ["x ${{inputs.a}}", "${{inputs.a}}${{inputs.b}}", "plain"])
def test_more_than_one_reference_is_not_a_sole_one(text: str) -> None:
    assert sole_reference(text) is None
