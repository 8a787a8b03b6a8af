"""`aml data`: data assets."""

from __future__ import annotations

from amlocal.cli.asset import Field, Kind, verbs

KIND = Kind(
    "data",
    "data asset",
    lambda client: client.data,
    (
        Field(("--path", "-p"), "file, folder, or address"),
        Field(("--type", "-t"), "uri_file, uri_folder, or mltable"),
        Field(("--description",), "what it is"),
    ),
)
VERBS = verbs(KIND)
