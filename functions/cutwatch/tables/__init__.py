"""DynamoDB tables: items as rows of a model, in training and as they change."""
