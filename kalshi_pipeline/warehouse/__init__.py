"""The DuckDB file: opening it, moving its schema forward, and writing tables that hold their stated shape.

What belongs here: everything that touches the file from Python, and the loaders from landed responses to raw tables.
What dbt builds inside the file belongs to ``dbt_project``; what a table's columns are belongs to ``schemas``.
"""
