"""AWS itself: clients, error codes, limits, S3, DynamoDB."""
