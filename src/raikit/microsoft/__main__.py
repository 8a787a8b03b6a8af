"""Runs one tool by Microsoft's responsibleai: `python -m raikit.microsoft TOOL ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from raikit.insights.arguments import parser
from stepkit.program import StepError, run

#: What the tools import.
_PACKAGES = ("mlflow", "mltable", "responsibleai")


def require_packages() -> None:
    """Require the toolbox, without importing it.

    Raises:
        StepError: It is not here.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise StepError(
            f"the engine responsibleai needs packages that are not here: {', '.join(missing)}",
            hint="run the job with --environment auto, which builds an environment of them",
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run a tool, and print what it came to."""
    args = parser().parse_args(sys.argv[1:] if argv is None else argv)
    require_packages()
    # After the check, since both import the toolbox.
    from raiutils.exceptions import UserConfigValidationException

    from raikit.microsoft import gather, tools

    found = {
        "constructor": tools.constructor,
        "explanation": tools.explanation,
        "causal": tools.causal,
        "counterfactual": tools.counterfactual,
        "erroranalysis": tools.error_analysis,
        "gather": gather.run,
    }
    try:
        print(found[args.tool](args))
    except UserConfigValidationException as error:
        raise StepError(
            f"responsibleai refuses this: {error}", hint="change the job's inputs as it says"
        ) from error


if __name__ == "__main__":
    run(main)
