"""ChatDev: a software company of agents that talk in pairs, phase by phase."""
