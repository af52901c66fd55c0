"""Whether the warehouse holds what it should, measured by queries that are files, against limits, with a sign-off.

Read-only: nothing here repairs what it finds. Start at ``verify``; the measures and their limits are in ``measures``.
"""
