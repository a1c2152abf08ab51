"""Detectors: what is watched, read from `detectors.yaml`."""
