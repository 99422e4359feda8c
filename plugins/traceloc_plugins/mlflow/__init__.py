"""MLflow: traces as its client writes and searches them."""
