"""Backtests of a stream's records in files."""
