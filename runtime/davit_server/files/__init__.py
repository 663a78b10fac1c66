"""Files that a model writes: folders for each process, and locks for what processes share."""
