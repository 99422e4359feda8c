"""Pydantic AI: typed agents, whose message histories are JSON."""
