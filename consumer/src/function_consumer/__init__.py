"""Invokes a function with batches of a Kafka topic's records, in the shape of Lambda's event source mappings.

`queue` decides, from records, answers and times; `loop` reads, invokes and commits; `main` runs one loop as a process.
"""
