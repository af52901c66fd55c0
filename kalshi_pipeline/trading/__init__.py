"""What decides and sends: the readiness backtest (``backtest``) and the order executor behind its limits (``orders``).

Nothing in the pipeline imports ``orders``: no schedule, asset or command can send an order.
"""
