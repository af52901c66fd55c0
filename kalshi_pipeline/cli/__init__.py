"""The ``kalshi-pipeline`` command: thin over the same jobs and functions that Dagster runs.

One module per group of commands, each with a ``commands`` of its own that ``app`` puts together.
Exit codes: 0 done (or nothing to do), 1 a failure, 2 wrong usage or something named that does not exist.
"""

from kalshi_pipeline.cli.app import main

__all__ = ["main"]
