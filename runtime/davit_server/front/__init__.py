"""The process that speaks HTTP, in the front's virtualenv."""
