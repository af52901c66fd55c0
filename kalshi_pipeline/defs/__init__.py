"""The Dagster surface: assets by layer, partitions, jobs, schedules and resources.

Definitions here are thin: an asset reads tables, calls a pure function and writes a table. What is computed belongs
to the room that computes it.
"""
