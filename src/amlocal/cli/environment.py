"""`aml environment`: what a step needs around it."""

from __future__ import annotations

from amlocal.cli.asset import Field, Kind, verbs
from amlocal.cli.asset_diff import diff_verb

KIND = Kind(
    "environment",
    "environment",
    lambda client: client.environments,
    (
        Field(("--image", "-i"), "base image"),
        Field(("--conda-file", "-c"), "conda file"),
        Field(("--os-type",), "linux or windows"),
        Field(("--description",), "what it is for"),
    ),
)
VERBS = {**verbs(KIND), "diff": diff_verb(KIND)}
