"""Application Auto Scaling of the variants of SageMaker's endpoints."""
