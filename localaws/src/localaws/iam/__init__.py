"""Permissions: every call of a role is checked against its policies, as IAM does."""
