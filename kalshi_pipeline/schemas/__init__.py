"""One pandera schema per table that Python writes: its columns, units, ranges, grain and key.

What belongs here: the statement of a table's shape. Reading, writing and migrating tables belongs to
``warehouse``; the shape of what dbt builds belongs to the YAML beside each model.
"""
