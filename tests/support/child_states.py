"""The states that a batch's child execution, or a run, passes when all goes well."""

TRAINED = [
    "Store Metric Data",
    "Enough History?",
    "Alone In Its Batch",
    "Start Training Job",
    "Wait For Training Job",
    "Get Training Job Status",
    "Training Job Status?",
    "Create Model",
    "Start Transform Job",
    "Wait For Transform Job",
    "Get Transform Job Status",
    "Transform Job Status?",
    "Register Model",
    "Done",
]
PUBLISHED = [
    "Store Metric Data",
    "Anything To Judge?",
    "Alone In Its Batch",
    "Start Transform Job",
    "Wait For Transform Job",
    "Get Transform Job Status",
    "Transform Job Status?",
    "Publish Anomalies",
    "Done",
]
TRAINED_INSIDE_LAMBDA = [
    "Store Metric Data",
    "Enough History?",
    "Train Forest",
    "Without Jobs",
    "Register Model",
    "Done",
]
PUBLISHED_INSIDE_LAMBDA = [
    "Store Metric Data",
    "Anything To Judge?",
    "Score Forest",
    "Without Job",
    "Publish Anomalies",
    "Done",
]
TRAINING_RUN = [
    "Read Limits",
    "List Detectors",
    "Any Detectors?",
    "Any For Lambda?",
    "Any For SageMaker?",
    "With SageMaker",
    "Train Detectors",
    "Which Engine Is Done?",
    "Retire Detectors",
    "Summarize Run",
    "All Failed?",
    "Run Finished",
]
TRANSFORM_RUN = [
    "Read Limits",
    "List Detectors",
    "Any To Train?",
    "Any For Lambda?",
    "Any For SageMaker?",
    "With SageMaker",
    "Score Detectors",
    "Which Engine Is Done?",
    "Summarize Run",
    "All Failed?",
    "Run Finished",
]
