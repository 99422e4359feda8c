"""Names for what went wrong: MAST and AgentRx, the way between them, and what speaks for each."""

from traceloc.categories.naming import find_category, normalise_category
from traceloc.categories.table import CATEGORIES, Category

__all__ = ["CATEGORIES", "Category", "find_category", "normalise_category"]
