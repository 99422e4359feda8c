"""Trace formats that others read, and that traceloc writes."""
