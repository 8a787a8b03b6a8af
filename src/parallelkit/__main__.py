"""`python -m parallelkit --request FILE --out FOLDER`: one parallel run.

The folder keeps `events.jsonl`, and `plan.json`, `journal.jsonl`, and `results/`, from which a run
that was interrupted goes on. Exit codes: 0 done, 1 the run failed, 2 the request or its input is
wrong; the reason is the last line of the output.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from parallelkit.conduct import Run, RunFailedError
from parallelkit.request import WrongRequestError, read_request


def main() -> int:
    """Read the request, run it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m parallelkit", description="A parallel run.")
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    try:
        request = read_request(options.request)
        Run(request, options.request.absolute(), options.out.absolute()).execute()
    except WrongRequestError as error:
        print(error, file=sys.stderr)
        return 2
    except RunFailedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave by an exception, so that the workers are ended."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
