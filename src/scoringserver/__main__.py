"""`python -m scoringserver --model DIR --socket PATH | --port N`: serves one model.

Exit codes: 0 ended by SIGTERM or SIGINT, 1 the model cannot be loaded, 2 the arguments are wrong or
the address is in use; the reason is the last line of standard error.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_MIB = 1024 * 1024
#: What the libraries that do the arithmetic read, when they are loaded.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Load the model, serve it, and return the exit code."""
    options = _parser().parse_args(argv)
    # OpenMP's own variable may list numbers for nested regions; the first is the outer one's.
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    threads = options.threads or (int(said) if said.isdecimal() and int(said) else 1)
    for name in _THREADS:
        os.environ[name] = str(threads)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    # Not before the threads are set: NumPy and scikit-learn read them when imported.
    from scoringserver.errors import ModelError
    from scoringserver.run import run

    try:
        run(
            options.model,
            path=options.socket,
            port=options.port,
            threads=threads,
            max_body=options.max_body,
            batch_rows=options.batch_rows,
        )
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {options.socket or options.port}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scoringserver", description="Serve an MLflow model."
    )
    parser.add_argument("--model", type=Path, required=True, help="folder with an MLmodel file")
    address = parser.add_mutually_exclusive_group(required=True)
    address.add_argument("--socket", type=Path, help="Unix socket to listen on")
    address.add_argument("--port", type=_port, help="port on 127.0.0.1; 0: a free one")
    parser.add_argument(
        "--threads",
        type=_positive,
        help="threads of one prediction (default: OMP_NUM_THREADS, else 1)",
    )
    parser.add_argument(
        "--max-body", type=_positive, default=16 * _MIB, help="most bytes of a body (16 MiB)"
    )
    parser.add_argument(
        "--batch-rows", type=_positive, default=1024, help="most rows of a batch; 1: no batches"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
