"""Langfuse: traces with their observations, as its API and its user interface export them."""
