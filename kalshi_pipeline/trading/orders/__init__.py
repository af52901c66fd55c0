"""The trading boundary: the only code that can send an order, and everything that stands in its way.

Start at ``executor``. An intent passes the environment, the kill switch, the limits and a confirmation, and is written
to the journal before each step; whatever is missing or unclear refuses it.
"""
