"""Who may do what: every call of a role is held against its policies, as IAM does."""
