"""Datasets in S3: feature rows, timestamps and their description."""
