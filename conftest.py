"""Plugins and settings for the tests of all distributions."""

pytest_plugins = ["tests.support.processor_time"]
