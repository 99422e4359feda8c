"""Writes a plugin of one's own: a complete distribution that passes the contract as written."""

from traceloc.scaffolding.writing import KINDS, scaffold

__all__ = ["KINDS", "scaffold"]
