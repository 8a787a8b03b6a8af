from __future__ import annotations

import argparse

import pytest

from amlocal import client
from amlocal.cli import arguments
from amlocal.cli.arguments import Verb, one_of, parse, positive, split_words, tag
from amlocal.errors import UsageError


def verb(*flags: str) -> Verb:
    def add(parser: arguments.Parser) -> None:
        arguments.add_file(parser, "job")
        arguments.add_view(parser, "jobs")
        for flag in flags:
            parser.add_argument(flag)

    return Verb("do it", add, lambda session, args: 0)


def test_targets_are_the_clients() -> None:
    assert arguments.TARGETS == client.TARGETS


@pytest.mark.parametrize(
    ("argv", "words", "rest"),
    [
        ("", [], []),
        ("job", ["job"], []),
        ("job list -o json x", ["job", "list"], ["-o", "json", "x"]),
        ("--target azure job --debug list", ["job", "list"], ["--target", "azure", "--debug"]),
        ("--target=azure job list", ["job", "list"], ["--target=azure"]),
        ("job -o", ["job"], ["-o"]),
        ("job create -f list", ["job", "create"], ["-f", "list"]),
    ],
)
def test_words_are_told_from_the_values_of_flags(
    argv: str, words: list[str], rest: list[str]
) -> None:
    assert split_words(argv.split()) == (words, rest)


def test_settings_are_gathered_from_every_set() -> None:
    argv = "-f x.yml --set a=1 b.c=2 --query q --set d=e=f"
    args = parse("job", "create", verb(), argv.split())
    assert args.overrides == ["a=1", "b.c=2", "d=e=f"]
    assert args.file == "x.yml"
    assert args.query == "q"


def test_settings_of_one_command_do_not_reach_the_next() -> None:
    parse("job", "create", verb(), ["-f", "x", "--set", "a=1"])
    assert parse("job", "create", verb(), ["-f", "x"]).overrides == []


def test_a_flag_may_be_cut_as_az_allows() -> None:
    assert parse("job", "create", verb(), ["-f", "x", "--out", "tsv"]).output == "tsv"


def test_an_ambiguous_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="ambiguous"):
        parse("job", "create", verb("--outlet"), ["-f", "x", "--out", "tsv"])


def test_archived_flags_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="not allowed with"):
        parse("job", "list", verb(), ["-f", "x", "--archived-only", "--include-archived"])


@pytest.mark.parametrize(
    ("argv", "view"),
    [([], "ActiveOnly"), (["--archived-only"], "ArchivedOnly"), (["--include-archived"], "All")],
)
def test_the_view_has_mlclients_names(argv: list[str], view: str) -> None:
    assert arguments.list_view_type(parse("job", "list", verb(), ["-f", "x", *argv])) == view


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", ""])
def test_a_count_is_a_whole_number_from_1(value: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a whole number from 1"):
        positive(value)
    assert positive("12") == 12


@pytest.mark.parametrize("value", ["a", "=b", ""])
def test_a_tag_has_a_key(value: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not KEY=VALUE"):
        tag(value)
    assert tag("a=b=c") == "tags.a=b=c"


def test_a_choice_suggests_the_nearest() -> None:
    check = one_of("format", ("json", "table"))
    assert check("json") == "json"
    with pytest.raises(argparse.ArgumentTypeError, match="did you mean 'table'"):
        check("tabel")
