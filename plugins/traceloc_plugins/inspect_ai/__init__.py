"""Logs of Inspect AI, as JSON and as zipped ``.eval`` files."""
