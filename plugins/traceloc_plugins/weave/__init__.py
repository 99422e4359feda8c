"""W&B Weave: calls of traced functions, with the model calls that its integrations record."""
