"""Datapoints on a regular grid, and reading them from CloudWatch."""
