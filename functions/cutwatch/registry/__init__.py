"""Detectors, runs and events in one DynamoDB table."""
