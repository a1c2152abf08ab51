"""What an operator asks of a deployed stack: its state, its events, a run, its logs, quiet."""
