"""Describes what a model or MLflow raised."""
