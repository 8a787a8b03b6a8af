from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.lab import wait_for

from amlocal.local.endpoints.supervisor import tether

PARENT = """
import os, subprocess, sys, time
from amlocal.local.endpoints.supervisor.instance import tethered
child = subprocess.Popen(tethered([sys.executable, "-c", "import time; time.sleep(300)"]))
print(child.pid, flush=True)
time.sleep(300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system tells nobody")
def test_a_program_ends_with_its_parent_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        try:
            child = psutil.Process(int(parent.stdout.readline()))
            # Between fork and exec there is no command line.
            wait_for(lambda: "time.sleep(300)" in "".join(child.cmdline()[-1:]))
        finally:
            parent.kill()
        parent.wait()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, seconds=10)


def test_a_program_whose_parent_has_gone_does_not_begin(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    program = [sys.executable, "-c", f"open({str(begun)!r}, 'w')"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", tether.__file__, "1", *program], timeout=30, check=False
    )
    assert done.returncode == 1
    time.sleep(0.1)
    assert not begun.exists()
