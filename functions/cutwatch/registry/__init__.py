"""What is known of detectors, runs and events, in one DynamoDB table."""
