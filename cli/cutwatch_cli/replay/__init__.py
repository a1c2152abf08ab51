"""Replays of a history through the state machines on the local AWS."""
