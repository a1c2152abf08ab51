"""Publishing results to CloudWatch."""
