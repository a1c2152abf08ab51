"""A check of the application in a real account: deploy, run, compare with docs/reality.md, remove."""
