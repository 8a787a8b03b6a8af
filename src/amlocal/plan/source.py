"""What a target is given to work with."""

from __future__ import annotations

import os
from typing import Any

#: A job or an asset: the path of its YAML file, or an object built with azure-ai-ml.
Source = str | os.PathLike[str] | Any
