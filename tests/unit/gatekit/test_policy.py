from __future__ import annotations

from pathlib import Path

import pytest

from gatekit.policy import Condition, PolicyError, Rule, parse_policy, parse_short, read_policy
from stepkit.program import StepError

POLICY = """\
name: release
description: What a model must be.
require:
  - figure: auc
    for: classification
    at_least: 0.8
    minimum_sample: 500
    because: below this it ranks
      little better than chance
  - figure: rmse
    for: regression
    no_worse_than_champion: {by: 5%}
advise:
  - {figure: recall, cohort: every sex, at_least: 5e-1}
  - {figure: auc, better_than_champion: {}}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as error:
        parse_policy(text, "p.yml")
    assert str(error.value) == "\n".join(str(each) for each in error.value.problems)
    return [str(each) for each in error.value.problems]


def test_a_policy_is_read() -> None:
    policy = parse_policy(POLICY)
    assert (policy.name, policy.description) == ("release", "What a model must be.")
    assert policy.rules == (
        Rule(
            "auc",
            Condition("at_least", 0.8),
            task="classification",
            minimum_sample=500,
            because="below this it ranks little better than chance",
            line=4,
        ),
        Rule("rmse", Condition("no_worse_than_champion", 0.05, True), task="regression", line=10),
        Rule("recall", Condition("at_least", 0.5), False, "every sex", line=14),
        Rule("auc", Condition("better_than_champion", 0.0), False, line=15),
    )


def test_rules_read_as_they_are_written() -> None:
    assert [str(rule) for rule in parse_policy(POLICY).rules] == [
        "auc at least 0.8",
        "rmse no worse than champion by 5%",
        "recall (every sex) at least 0.5",
        "auc better than champion",
    ]


def test_a_policy_is_called_after_its_file_where_it_has_no_name() -> None:
    text = "require: [{figure: auc, at_least: 0.8}]"
    assert parse_policy(text, "jobs/policies/quick.yml").name == "quick"


def test_every_problem_is_told_at_once_with_its_line() -> None:
    text = """\
requires: []
require:
  - figure: auc
    at_lest: 0.8
  - figur: auc
    at_least: high
  - figure: AUC score
    at_least: 0.8
    for: clasification
advise:
  - at_most: 3
  - figure: rmse
    at_most: 3
    at_least: 1
  - figure: ece
  - figure: f1
    no_worse_than_champion: {bye: 0.1}
  - figure: f1
    no_worse_than_champion: 0.1
  - figure: f1
    better_than_champion: {by: -1}
    minimum_sample: 2.5
  - figure: f1
    at_least: 50%
    figure: f2
  - text
"""
    assert problems(text) == [
        "p.yml:1: no field 'requires' in a policy; did you mean 'require'?",
        "p.yml:4: no field 'at_lest' in a rule; did you mean 'at_least'?",
        "p.yml:5: no field 'figur' in a rule; did you mean 'figure'?",
        "p.yml:6: at_least is 'high'; write a number",
        "p.yml:7: 'AUC score' is no name of a figure; such as `latency_row_p99_ms`",
        "p.yml:9: for is 'clasification'; did you mean 'classification'?",
        "p.yml:11: a rule names no figure; add `figure: auc`",
        "p.yml:12: a rule has at_least and at_most; make two rules of it",
        "p.yml:15: a rule says nothing of its figure; add one of at_least, at_most, "
        "no_worse_than_champion, better_than_champion",
        "p.yml:17: no field 'bye' in no_worse_than_champion; did you mean 'by'?",
        "p.yml:19: no_worse_than_champion is '0.1'; write its fields: by",
        "p.yml:21: by is '-1'; write a number from 0, or a percentage such as 5%",
        "p.yml:22: minimum_sample is '2.5'; write a whole number from 0",
        "p.yml:24: at_least is '50%'; write a number",
        "p.yml:25: 'figure' stands twice in a rule; leave one",
        "p.yml:26: a rule is 'text'; write its fields: figure, at_least, at_most, "
        "no_worse_than_champion, better_than_champion, for, cohort, minimum_sample, because",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "p.yml:1: the file is empty; docs/gate.md says what a policy looks like"),
        ("require: []", "p.yml:1: the policy has no rule; add `require:` with `- figure: ...` be"),
        ("- figure: auc", "p.yml:1: a policy is a list; write its fields: name, description, req"),
        ("require: auc", "p.yml:1: require is 'auc', not a list of rules; begin each with `- `"),
        ("require:\n  figure: [", "p.yml:2: this is no YAML: "),
        ("require:\n\t- x", "p.yml:2: this is no YAML: "),
        ("name: \x00", "p.yml:1: this is no YAML: "),
        ("require: [{figure: auc, at_least: .nan}]", "p.yml:1: at_least is '.nan'; write a numb"),
        ("require: [{figure: auc, at_least: nan}]", "p.yml:1: at_least is 'nan'; write a number"),
        ("require: [{figure: auc, at_least: }]", "p.yml:1: at_least is nothing; write a number"),
        ("require: [{figure: [a], at_least: 1}]", "p.yml:1: figure is a list; write it on one li"),
    ],
)
def test_a_policy_that_does_not_read(text: str, problem: str) -> None:
    assert problems(text)[0].startswith(problem)


def test_a_file_is_read_and_named_in_its_problems(tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text("\ufeff" + POLICY)
    assert read_policy(file).name == "release"
    file.write_text("require: [{figure: auc, at_lest: 0.8}]")
    with pytest.raises(PolicyError, match=rf"^{file}:1: no field 'at_lest'"):
        read_policy(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match=r"policy.yml: this is no text"):
        read_policy(file)
    with pytest.raises(PolicyError, match=r"this is a folder; give the YAML file in it"):
        read_policy(tmp_path)
    with pytest.raises(PolicyError, match=r"other\.yml: no such file; docs/gate\.md"):
        read_policy(tmp_path / "other.yml")


def test_rules_in_short_are_parted_by_spaces_or_commas() -> None:
    expected = (
        Rule("auc", Condition("at_least", 0.9)),
        Rule("error_rate", Condition("at_most", 0.14)),
    )
    for text in (
        "auc>=0.9 error_rate<=0.14",
        " auc >= .9,error_rate <= 14e-2; ",
        "auc>=0.90;error_rate<=.14",
    ):
        assert parse_short(text) == expected


@pytest.mark.parametrize("text", ["", "none", " None "])
def test_no_rules_in_short(text: str) -> None:
    assert parse_short(text) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auc", "cannot read threshold 'auc'"),
        ("auc=0.9", "cannot read threshold"),
        ("auc>0.9", "cannot read threshold"),
        ("auc>=0.9 nonsense", "cannot read threshold 'nonsense'"),
        ("auc>=0.9error_rate<=1", "cannot read threshold"),
        ("auc>=high", "cannot read threshold"),
        ("auc>=1.2.3", "is no number"),
    ],
)
def test_rules_in_short_that_do_not_read(text: str, message: str) -> None:
    with pytest.raises(StepError, match=message):
        parse_short(text)


@pytest.mark.parametrize(
    ("wanted", "covered"),
    [
        ("", [""]),
        ("sex", ["sex"]),
        ("sex=F", ["sex=F"]),
        ("every sex", ["sex", "sex=F", "sex=M"]),
        ("every cohort", ["sex", "sex=F", "sex=M", "sexes=2"]),
    ],
)
def test_which_cohorts_a_rule_covers(wanted: str, covered: list[str]) -> None:
    rule = Rule("auc", Condition("at_least", 0.8), cohort=wanted)
    cohorts = ["", "sex", "sex=F", "sex=M", "sexes=2"]
    assert [each for each in cohorts if rule.covers(each)] == covered
