"""From a request's body to the model's answer, with MLflow's semantics."""
