"""Runs one tool of a Responsible AI dashboard: `python -m raikit TOOL ...`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

from raikit.insights.arguments import parser
from stepkit.program import StepError, run

#: What the tools import.
_PACKAGES = ("dice_ml", "econml", "fairlearn", "matplotlib", "mlflow", "reportlab", "shap")


def require(packages: Iterable[str]) -> None:
    """Require that packages can be imported, without importing them.

    Raises:
        StepError: They cannot.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise StepError(
            f"Responsible AI needs packages that are not installed: {', '.join(missing)}",
            hint='install them: pip install "amlocal[responsible]"',
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run a tool, and print what it came to."""
    args = parser().parse_args(sys.argv[1:] if argv is None else argv)
    require(_PACKAGES)
    # After the check, since each of them imports some.
    from raikit.insights import constructor, gather, scorecard, tools

    found = {
        "constructor": constructor.run,
        "explanation": tools.explanation,
        "causal": tools.causal_effects,
        "counterfactual": tools.counterfactual_rows,
        "erroranalysis": tools.error_analysis,
        "gather": gather.run,
        "scorecard": scorecard.run,
    }
    print(found[args.tool](args))


if __name__ == "__main__":
    run(main)
