"""Tests by cost: unit, integration, template, workflow, e2e; and what they share."""
