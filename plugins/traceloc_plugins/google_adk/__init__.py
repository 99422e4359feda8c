"""Agent Development Kit (ADK): agents in a tree that transfer to each other."""
