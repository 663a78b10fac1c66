"""The processes that answer requests, in the model's virtualenv."""
