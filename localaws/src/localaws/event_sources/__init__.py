"""Event source mappings: streams are read lane by lane, and functions invoked with batches of their records.

`batches`, `batch_queue`, `tumbling_windows` and `lanes` decide, as functions of records, answers and times, and know no source;
`source` is what a source offers, `kinesis_source` the first of them; `mappings` drives both.
"""
