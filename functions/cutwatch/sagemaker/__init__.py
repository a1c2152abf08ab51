"""SageMaker jobs."""
