"""`aml component`: the steps that pipelines are made of."""

from __future__ import annotations

from amlocal.cli.asset import Kind, verbs
from amlocal.cli.asset_diff import diff_verb

KIND = Kind("component", "component", lambda client: client.components)
VERBS = {**verbs(KIND), "diff": diff_verb(KIND)}
