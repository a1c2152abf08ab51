"""Runs: opening, batches, summary."""
