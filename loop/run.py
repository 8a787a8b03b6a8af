"""Show the loop end to end: traffic, breach, fresh rows, lifecycle, gate, rollout, monitor.

`make loop` runs it in a workspace of its own. It ends with 1, and says what is missing, where a
link does not happen, and where something happens on traffic that is as it was.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "endpoints/adult"))

import acts
from chain import BrokenChainError, lines, walk

import amlocal.spec as compiler
from amlocal.errors import AmlocalError
from amlocal.local.client import LocalClient


def play(stage: acts.Stage, *, rows: int) -> None:
    """Play the acts.

    Raises:
        MissingLinkError: A link did not happen.
        BrokenChainError: The lineage of what came of it is not whole.
        AmlocalError: The workspace refused something.
    """
    acts.champion(stage)
    acts.arm(stage)
    acts.quiet(stage, rows)
    # Callers of the changed world go on asking until the end.
    traffic = acts.callers(stage, shift=True, rate=40)
    try:
        acts.breach(stage, traffic, rows * 2)
        traffic.rate = 20
        deployment = acts.turn(stage)
        acts.settled(stage, traffic, deployment, rows)
    finally:
        traffic.stop()
    stage.say("\n".join(["lineage:", *lines(walk(stage.client, acts.ENDPOINT, deployment))]))


def _interrupted(number: int, _: object) -> None:
    raise KeyboardInterrupt(number)


def main(argv: Sequence[str] | None = None) -> int:
    """Play, end every process, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--home", type=Path, default=acts.ROOT / "build/loop/workspace")
    parser.add_argument("--rows", type=int, default=1000, help="of an act's traffic")
    parser.add_argument(
        "--patience", type=float, default=1.0, help="factor on how long things may take"
    )
    args = parser.parse_args(argv)
    home = args.home.absolute()
    if home.exists():
        if not (home / "records.db").is_file():
            parser.error(f"{home} is no workspace, so it is not removed")
        # What a run that was killed left is ended, too.
        LocalClient.open(home, os.environ, compiler).workspace.down()
        shutil.rmtree(home)
    signal.signal(signal.SIGTERM, _interrupted)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AML")}
    client = LocalClient.open(home, {**environ, "AMLOCAL_HOME": str(home)}, compiler)
    stage = acts.Stage(client, home, args.patience)
    try:
        play(stage, rows=args.rows)
    except (acts.MissingLinkError, BrokenChainError, TimeoutError, AmlocalError) as error:
        stage.say(f"the loop is not whole: {error}")
        return 1
    except KeyboardInterrupt:
        stage.say("interrupted")
        return 130
    finally:
        client.workspace.down()
    stage.say("the loop is whole")
    return 0


if __name__ == "__main__":
    sys.exit(main())
