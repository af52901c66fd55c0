"""Markets into ladders: strikes, payoff sets, elementary cells, and what is known about each series.

Prices never come in here; what a ladder is depends on the specification of its markets alone.
"""
