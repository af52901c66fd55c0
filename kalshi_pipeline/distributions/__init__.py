"""Quotes into implied distributions: bands, repair, tails, moments, gates, quality. Arrays in, arrays out.

Batches are flat: the legs of all snapshots stand one after another, and a pointer array says where each snapshot's
begin (``pointer[s]:pointer[s + 1]``); cells likewise. No database, no orchestration and no clock come in here.
"""
