"""ATIF, the trajectory format of Harbor, which traceloc also writes."""
