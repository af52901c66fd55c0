"""Scores of forecasts: how far a distribution lay from what came true, and how sure one can be of a difference."""
