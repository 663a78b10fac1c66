"""Decides whether workers may be forks of one loaded model."""
