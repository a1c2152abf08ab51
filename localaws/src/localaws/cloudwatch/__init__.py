"""CloudWatch's metrics: what is put, what can be read back, and what alarms make of it."""
