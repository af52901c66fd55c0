"""The code location Dagster loads: the pipeline under the settings of this environment."""

from __future__ import annotations

import os

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.settings import Settings

defs = build_defs(Settings.from_env(os.environ))
