"""The hourly report of a log: totals, trends, anomalies, from the summaries of its batches."""
