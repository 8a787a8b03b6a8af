from __future__ import annotations

import pytest

from amlocal.errors import EnvironmentBuildError
from amlocal.local.packages import require


def test_what_is_missing_is_named_with_what_installs_it() -> None:
    require(["json", "msgspec"], who="AutoML needs", extra="automl")
    with pytest.raises(EnvironmentBuildError, match="not installed: no_such, nor_this") as error:
        require(["json", "no_such", "nor_this"], who="AutoML needs", extra="automl")
    assert str(error.value).startswith("AutoML needs packages")
    assert error.value.hint == 'install them: pip install "amlocal[automl]"'
    assert error.value.exit_code == 3
