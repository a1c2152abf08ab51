"""AWS: clients, error codes, limits, S3, DynamoDB, CloudWatch."""
