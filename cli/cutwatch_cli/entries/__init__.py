"""Detectors that the options of `run`, `backtest` and `export` describe, and their history."""
