"""Measurements: what a model is asked, a file a kind."""
