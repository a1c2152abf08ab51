"""The command line, its reports and its backtests; not deployed."""
