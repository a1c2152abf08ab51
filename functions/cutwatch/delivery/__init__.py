"""Delivery of a stream's outbox: incidents, notices, rejected records, scored rows."""
