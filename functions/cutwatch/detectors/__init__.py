"""Detectors, read from `detectors.yaml`."""
