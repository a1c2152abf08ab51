"""Deployed stacks: status, events, runs, logs and silences."""
