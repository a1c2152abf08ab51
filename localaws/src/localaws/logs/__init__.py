"""CloudWatch Logs: metric filters that publish. Groups, streams and events stay MiniStack's."""
