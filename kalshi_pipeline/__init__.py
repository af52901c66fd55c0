"""Kalshi's markets, quotes, candles and trades, from the exchange to walk-forward folds."""

__version__ = "0.1.0"
