"""Notifications by SNS and EventBridge."""
