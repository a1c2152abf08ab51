"""Backtests of a metric's history, without AWS."""
