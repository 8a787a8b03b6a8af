"""`python -m automlkit --request FILE --out FOLDER`: one search, in a process of its own.

The folder gets `events.jsonl`, `state/` (finished trials: a search that is started again in the
same folder goes on from them), and at the end `model/` (an MLflow model that takes raw columns),
`leaderboard.json`, `featurization.json`, and `explanation/`. Exit codes: 0 done, 1 the search
failed, 2 the request or its data is wrong; the reason is the last line of standard error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from automlkit.errors import SearchError
from automlkit.events import Events
from automlkit.request import read_request
from stepkit.program import StepError


def main() -> int:
    """Read the request, search, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m automlkit", description="One AutoML search.")
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        request = read_request(options.request)
    except (OSError, msgspec.MsgspecError) as error:
        print(f"{options.request}: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    events = Events(options.out / "events.jsonl")
    try:
        # Each imports its own heavy libraries.
        if request.task == "forecasting":
            from automlkit.forecasting import run
        else:
            from automlkit.search import run
        run(request, options.out, events)
    except StepError as error:
        print(_in_one_line(error), file=sys.stderr)
        return 2
    except SearchError as error:
        print(_in_one_line(error), file=sys.stderr)
        return 1
    finally:
        events.close()
    return 0


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).replace("\n  -> ", ": ").split("\n"))


if __name__ == "__main__":
    sys.exit(main())
