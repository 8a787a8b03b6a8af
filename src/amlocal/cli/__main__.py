"""`python -m amlocal.cli`: the same as `aml`."""

from __future__ import annotations

import sys

from amlocal.cli.main import entry

if __name__ == "__main__":
    sys.exit(entry())
