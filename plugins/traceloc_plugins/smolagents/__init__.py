"""Memory of smolagents: dumped steps, and results of runs."""
