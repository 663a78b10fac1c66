"""The model server of Davit: a front (HTTP, its own virtualenv) and workers (the model's virtualenv)."""
