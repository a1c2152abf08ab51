"""Lambda functions as real processes."""
