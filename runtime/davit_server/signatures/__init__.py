"""Checks answers against the model's output signature."""
