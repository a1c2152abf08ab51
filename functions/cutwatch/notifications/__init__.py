"""Notifications through SNS and EventBridge."""
