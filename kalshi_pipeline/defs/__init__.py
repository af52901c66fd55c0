"""The Dagster surface: assets by layer, partitions, jobs, schedules and resources.

Definitions here are thin: an asset reads tables, calls a pure function and writes a table. What is computed belongs
to the room that computes it.
"""

import warnings

from dagster import BetaWarning

# The backfill policy is marked beta and we depend on it knowingly: a range of partitions has to be one run.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=BetaWarning)
# So is what lets the first days of all look back to days that have no partition.
warnings.filterwarnings("ignore", message="Parameter `allow_nonexistent_upstream_partitions`", category=BetaWarning)
# Dagster's own use of a beta parameter, while it resolves the selections of our jobs.
warnings.filterwarnings("ignore", message="Parameter `include_sources`", category=BetaWarning)
