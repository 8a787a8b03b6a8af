"""`aml environment`: what a step needs around it."""

from __future__ import annotations

from amlocal.cli.asset import Field, Kind, verbs

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
VERBS = verbs(KIND)
