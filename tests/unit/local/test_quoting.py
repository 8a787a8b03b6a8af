from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlocal.errors import SpecError
from amlocal.local.quoting import Quoting

HOSTILE = "a b\"c'$(touch pwned) `touch pwned` \\ ${HOME} *; touch pwned\n& | > x # é"
SHOW = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"


def run(before: str, value: str, after: str, folder: Path) -> str:
    quoting = Quoting()
    command = quoting.text(before) + quoting.value(value) + quoting.text(after)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True
    )
    assert not (folder / "pwned").exists()
    return done.stdout


@pytest.mark.parametrize(
    ("before", "after", "prefix", "suffix"),
    [
        ("", "", "", ""),
        ('"', '"', "", ""),
        ("'", "'", "", ""),
        ("--x=", "/file.json", "--x=", "/file.json"),
        ('"a \\"b\\" ', ' c"', 'a "b" ', " c"),
        ("'it is ' \"don't\" ", "", None, None),
        ("# it's a comment\n", "", None, None),
        ('"$(echo "in")" ', "", None, None),
        ('"$(printf %s ', ')"', "", ""),
        ("a\\' ", "", None, None),
    ],
)
def test_a_hostile_value_is_one_argument(
    tmp_path: Path, before: str, after: str, prefix: str | None, suffix: str | None
) -> None:
    show = "show() { " + SHOW + ' "$@"; }; '
    command = before if before.startswith("#") else f"show {before}"
    if before.startswith("#"):
        command = f"{before}show "
    arguments = json.loads(run(show + command, HOSTILE, after, tmp_path))
    if prefix is None:
        assert arguments[-1] == HOSTILE
    else:
        assert arguments == [prefix + HOSTILE + (suffix or "")]


@pytest.mark.parametrize("delimiter", ["END", "'END'", '"END"', "-END"])
def test_a_hostile_value_in_a_here_document_is_text(tmp_path: Path, delimiter: str) -> None:
    out = run(f"cat <<{delimiter}\nit's ", HOSTILE, " here\nEND\necho done", tmp_path)
    assert out == f"it's {HOSTILE} here\ndone\n"


def test_after_a_here_document_quoting_goes_on(tmp_path: Path) -> None:
    assert run("cat <<A >/dev/null\nit's\nA\nprintf %s ", HOSTILE, "", tmp_path) == HOSTILE


def test_a_value_in_a_comment_stays_in_it(tmp_path: Path) -> None:
    assert run("echo a # about ", HOSTILE, "\necho b", tmp_path) == "a\nb\n"


def test_backquotes_are_refused() -> None:
    quoting = Quoting()
    quoting.text("echo `cat ")
    with pytest.raises(SpecError, match=r"write \$\(...\) instead"):
        quoting.value("x")


@settings(max_examples=60, deadline=None)
@given(
    value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    quote=st.sampled_from(["", "'", '"']),
)
def test_any_value_survives_any_quotes(value: str, quote: str) -> None:
    quoting = Quoting()
    command = quoting.text(f"printf %s {quote}") + quoting.value(value) + quoting.text(quote)
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert done.stdout.decode() == value
