"""Processes and descriptors of the operating system."""
