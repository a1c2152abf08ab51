"""Kinesis Data Streams: shards with parents, positions that outlive a split, throttling per shard."""
