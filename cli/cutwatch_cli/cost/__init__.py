"""Estimates of cost."""
