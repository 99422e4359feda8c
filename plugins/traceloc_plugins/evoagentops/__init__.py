"""Runs recorded as agent steps with their true inputs, tool calls and usage."""
