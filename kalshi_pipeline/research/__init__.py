"""From ladders and outcomes to research: releases, snapshot instants, labels, folds, and the account of a run.

Arrow tables go in and Arrow tables come out. What lives here knows no Dagster, no DuckDB and no HTTP.
"""
