"""The code location Dagster loads: the pipeline under the settings of this environment."""

import os

import dagster as dg

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """Assembled when Dagster asks for them, not when this module is imported."""
    return build_defs(Settings.from_env(os.environ))
