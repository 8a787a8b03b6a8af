"""Puts the analyses of the tools into one dashboard, as `RAIInsights.save` writes it."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from responsibleai import RAIInsights
from responsibleai.serialization_utilities import serialize_json_safe

from raikit.microsoft import dashboards, folders
from stepkit.program import write_json, write_text


def run(args: argparse.Namespace) -> str:
    """Write the dashboard and the document of its page; return what is in them, in a line.

    Raises:
        StepError: An insight is of another constructor, or one tool is given twice.
    """
    known = folders.read(args.constructor)
    given = [getattr(args, f"insight_{number}") for number in range(1, 5)]
    found = folders.analyses([Path(each) for each in given if each], known)
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        dashboards.insights(args.constructor).save(whole)
        for name in folders.ANALYSES:
            (whole / name).mkdir(exist_ok=True)
        for name, folder in found.items():
            shutil.rmtree(whole / name)
            shutil.copytree(folder / name, whole / name)
        made = RAIInsights.load(whole)
    made.save(args.dashboard_output)
    write_json(args.dashboard_output / folders.FILE, known)
    document = json.dumps(serialize_json_safe(made.get_data()))
    write_text(args.ux_json_output / "dashboard.json", document)
    return f"{known['dashboard_title']}: {', '.join(found) or 'no analyses'}"
