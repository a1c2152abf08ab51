"""What never ships: the local AWS, the command line, the reports."""
