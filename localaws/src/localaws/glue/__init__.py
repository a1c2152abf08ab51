"""Runs of Glue jobs, by PySpark."""
