"""SageMaker endpoints: requests for scores, cutoffs by variant, deployments and their end."""
