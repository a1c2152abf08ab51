"""SageMaker as far as Random Cut Forest jobs need it; jobs really train and really score."""

from localaws.sagemaker.behaviour import SageMakerBehaviour

__all__ = ["SageMakerBehaviour"]
