"""The scheduler's program: `python -m amlocal.scheduler SETTINGS`.

It goes on in a process that no terminal and no parent holds, and ends when no schedule and no
trigger of the workspace is enabled, or by SIGTERM. Above the client, since what it starts is all
that a client can.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import amlocal.spec as compiler
from amlocal.errors import AmlocalError, TrackingError
from amlocal.local.client import LocalClient
from amlocal.local.daemon import detach
from amlocal.local.schedules.process import SchedulerSettings, scheduler_files
from amlocal.local.schedules.scheduler import Scheduler
from amlocal.local.tracking.state import MARKER, locked

#: The longest sleep, after which the clock is looked at: it may have been set, or have slept too.
_LONGEST_SLEEP = 30.0
#: Seconds between two looks at what triggers listen to.
_TRIGGERS_SECONDS = 3.0
#: Seconds between two looks where something went wrong with the workspace itself.
_TROUBLE_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """Become a daemon and start what schedules say."""
    settings = SchedulerSettings.from_json(arguments[0])
    files = scheduler_files(Path(settings.workspace))
    # Who waits for `end` finds `alive` free: the one is released before the other.
    with contextlib.ExitStack() as end, contextlib.ExitStack() as alive:
        # Before the fork: whoever starts us knows that we live when its call returns.
        alive.enter_context(locked(files.alive_lock))
        detach()
        # What names this process must not name the jobs that it starts, which outlive it.
        environ = {name: value for name, value in os.environ.items() if name != MARKER}
        _run(settings, environ, end)
    return 0


def _run(
    settings: SchedulerSettings, environ: Mapping[str, str], end: contextlib.ExitStack
) -> None:
    """Start what is due until nothing can be any more, or until a signal comes."""
    files = scheduler_files(Path(settings.workspace))
    os.chdir(settings.project)
    client = LocalClient.open(settings.workspace, environ, compiler)
    records = client.schedules.records
    scheduler = Scheduler(records, client.jobs, _say)
    wake = files.open_wake()
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: ended.append(received))
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    is_resumed = False
    while not ended:
        try:
            if not is_resumed:
                scheduler.resume()
                is_resumed = True
            upcoming = scheduler.tick(int(time.time()))
            for event in client.settle():
                _say(f"{event.detail['job']}: {event.type}: {event.detail['signal']}")
            has_triggers = _evaluate(client)
        except (AmlocalError, OSError) as error:
            _say(f"the records cannot be used: {error}")
            _sleep(wake, _TROUBLE_SECONDS)
            continue
        if not (has_triggers or records.any_enabled()):
            try:
                end.enter_context(locked(files.start_lock))
            except TrackingError:
                continue  # somebody is about to wake us
            if not (records.any_enabled() or client.triggers.any_enabled()):
                return
            end.close()
        longest = _TRIGGERS_SECONDS if has_triggers else _LONGEST_SLEEP
        _sleep(wake, longest if upcoming is None else min(longest, upcoming - time.time()))


def _evaluate(client: LocalClient) -> bool:
    """Start what triggers want, and return whether any of them is enabled."""
    if not client.triggers.any_enabled():
        return False
    for told in client.triggers.evaluate(time.time()):
        _say(f"trigger {told.trigger}: {told.outcome}: {told.job} {told.reason}")
    return True


def _sleep(wake: int, seconds: float) -> None:
    """Wait at most so long for somebody who wakes us."""
    ready, _, _ = select.select([wake], [], [], min(max(seconds, 0.0), _LONGEST_SLEEP))
    if ready:
        os.read(wake, 1 << 16)


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except AmlocalError as error:
        sys.exit(str(error))
