"""Trained models: registration and retirement."""
