"""The readiness backtest: whether the data is there to decide on, told by a funnel that explains every trade not made.

It answers whether the pipeline could have been traded on, not whether the belief in it earns money. Start at
``simulate``; pure code: rows go in, rows come out.
"""
