"""CAMEL: agents that play roles; memories and logs of model calls."""
