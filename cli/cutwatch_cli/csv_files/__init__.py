"""Metrics in CSV files."""
