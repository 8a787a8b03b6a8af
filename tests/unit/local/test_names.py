from __future__ import annotations

import re

from amlocal.local.names import job_name


def test_names_read_like_azures_and_differ() -> None:
    names = {job_name() for _ in range(200)}
    assert len(names) == 200
    assert all(re.fullmatch(r"[a-z]+_[a-z]+_[a-z0-9]{10}", name) for name in names)
