"""Reporters: one file for each format, through the same door as a stranger's."""
