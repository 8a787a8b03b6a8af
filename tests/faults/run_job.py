"""Runs a job in this process: `python -m tests.faults.run_job PROJECT SHARED PLAN NAME`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.lab import Lab

from amlocal.errors import AmlocalError
from amlocal.plan import Job, JobInfo
from amlocal.plan.reporter import SilentReporter


class LastLine(SilentReporter):
    """Keeps the last line that it was told."""

    text = ""

    def log(self, step: JobInfo, text: str) -> None:
        self.text = text.splitlines()[-1]


def main(project: str, shared: str, plan: str, name: str) -> int:
    lab = Lab.open(Path(project), shared=Path(shared))
    job = Job.from_json(Path(plan).read_bytes())
    reporter = LastLine()
    try:
        done = lab.client.jobs.create_or_update(job, name=name, reporter=reporter)
    except AmlocalError as error:
        print(error)
        return error.exit_code
    # Not `getrusage`: its peak is inherited from the process that started this one.
    (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x]
    peak = int(line.split()[1]) // 1024
    print(f"{done.status.value} {peak} {reporter.text}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
