"""What the processes of one server send to each other, and write to the log."""
