"""CrewAI: crews of agents with roles, that work through tasks."""
