"""Datapoints on a regular grid, and how they are read from CloudWatch."""
