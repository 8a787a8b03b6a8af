"""The SDK's errors as amlocal's."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from marshmallow import ValidationError

from amlocal.azure.errors import azure_errors, translate
from amlocal.errors import (
    AmlocalError,
    NotFoundError,
    SpecError,
    TargetError,
    UsageError,
)


def http(status: int, message: str = "said the service") -> HttpResponseError:
    error = HttpResponseError(message)
    error.status_code = status
    return error


@pytest.mark.parametrize(
    ("error", "kind", "exit_code", "hint"),
    [
        (ClientAuthenticationError("no token"), TargetError, 3, "az login"),
        (ResourceNotFoundError("gone"), NotFoundError, 2, "check the name"),
        (ResourceExistsError("there"), UsageError, 2, "another name"),
        (ServiceRequestError("no route to host"), TargetError, 3, "network"),
        (http(401), TargetError, 3, "az login"),
        (http(403), TargetError, 3, "AzureML Data Scientist"),
        (http(404), NotFoundError, 2, "check the name"),
        (http(409), UsageError, 2, "another name"),
        (http(400), UsageError, 2, "send it again"),
        (http(429), TargetError, 3, "try again"),
        (http(503), TargetError, 3, "try again"),
        (KeyError("properties"), TargetError, 3, "check the name"),
    ],
)
def test_kind_exit_code_and_hint(
    error: Exception, kind: type[AmlocalError], exit_code: int, hint: str
) -> None:
    translated = translate(error, "get job 'x'")
    assert type(translated) is kind
    assert translated.exit_code == exit_code
    assert hint in translated.hint
    assert str(translated).startswith("could not get job 'x': ")
    assert "\n" not in str(translated)


def test_the_services_own_sentence_is_taken() -> None:
    error = http(400, "(UserError) long\nCode: UserError\nMessage: repeated")
    error.error = SimpleNamespace(message="Compute 'x' is not there.")
    assert str(translate(error, "submit the job")) == (
        "could not submit the job: Compute 'x' is not there."
    )


def test_messages_are_cut_and_lose_their_colours() -> None:
    message = str(translate(http(500, "\x1b[31m" + "word " * 1000 + "\x1b[0m"), "list jobs"))
    assert len(message) < 500
    assert "\x1b" not in message
    assert message.endswith("…")


def test_the_cause_counts_not_its_wrapping() -> None:
    wrapped = RuntimeError("Error with code: ...")
    wrapped.__cause__ = http(403)
    assert "AzureML Data Scientist" in translate(wrapped, "submit the job").hint


def test_an_error_of_ours_inside_the_sdks_comes_out() -> None:
    ours = UsageError("no", hint="do this")
    wrapped = RuntimeError("Error with code: no")
    wrapped.__context__ = ours
    assert translate(wrapped, "submit the job") is ours


def test_a_loop_of_causes_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert isinstance(translate(first, "do it"), TargetError)


def test_wrong_fields_are_told_one_by_one() -> None:
    error = ValidationError({"resources": {"instance_count": ["Not a valid integer."]}, "a": ["b"]})
    translated = translate(error, "submit the job", file="job.yml")
    assert isinstance(translated, SpecError)
    assert [str(problem) for problem in translated.problems] == [
        "job.yml: resources.instance_count: Not a valid integer.",
        "job.yml: a: b",
    ]


def test_wrong_fields_are_read_from_the_sdks_text() -> None:
    report = {"errors": [{"message": "Missing data.", "path": "jobs.c.component"}]}
    error = ValidationError(f"Validation failed:\n {json.dumps(report)} \n If you are trying ...")
    translated = translate(error, "submit the job")
    assert str(translated) == "jobs.c.component: Missing data."


@pytest.mark.parametrize("text", ["no json", "{ not json", "[1] {}"])
def test_text_without_fields_is_told_as_it_is(text: str) -> None:
    assert str(translate(ValidationError(text), "submit the job")) == text


def test_the_users_own_mistakes_are_spec_errors() -> None:
    from azure.ai.ml.exceptions import UserErrorException

    translated = translate(UserErrorException("7 is a invalid input"), "get job 7")
    assert isinstance(translated, SpecError)
    assert str(translated) == "7 is a invalid input"


def test_the_sdk_is_quiet_and_ours_pass_through(capfd: Any) -> None:
    with azure_errors("do it"):
        print("progress")
        print("colour", file=sys.stderr)
    error = UsageError("ours")
    with pytest.raises(UsageError) as caught, azure_errors("do it"):
        raise error
    assert caught.value is error
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_is_no_error_of_azure() -> None:
    with pytest.raises(KeyboardInterrupt), azure_errors("do it"):
        raise KeyboardInterrupt
