"""Discovery of metrics to watch."""
