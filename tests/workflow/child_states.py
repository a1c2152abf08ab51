"""The states that a detector's child execution passes when all goes well."""

TRAINED = [
    "Store Metric Data",
    "Enough History?",
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
    "Start Transform Job",
    "Wait For Transform Job",
    "Get Transform Job Status",
    "Transform Job Status?",
    "Publish Anomalies",
    "Done",
]
