"""The archive of raw responses, per dataset, partition and unit of work.

A unit of work is the checkpoint: its file exists whole or not at all, so a killed ingestion resumes at the next unit
and a table can be rebuilt without the network. Not here: typed rows and tables (``warehouse``).
"""
