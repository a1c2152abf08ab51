"""Refusal of a command, in one line."""


class Refused(Exception):
    """One line that says why a command cannot continue."""
