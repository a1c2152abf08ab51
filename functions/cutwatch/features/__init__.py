"""Feature rows: what a forest sees of a series."""
