"""Watched DynamoDB tables on the local AWS."""
