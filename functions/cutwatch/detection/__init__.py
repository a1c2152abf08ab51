"""From anomaly scores to events."""
