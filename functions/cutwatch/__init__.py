"""Cutwatch: anomaly detection for CloudWatch metrics with Random Cut Forests."""
