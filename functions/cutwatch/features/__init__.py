"""Feature rows, the input of forests."""
