"""The error that ends a command with one line."""


class Refused(Exception):
    """One line that says why a command cannot continue."""
