"""Scoring of live detectors: each datapoint minutes after it arrived, with the forest that a batch trained."""
