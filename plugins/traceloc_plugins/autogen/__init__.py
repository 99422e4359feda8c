"""AutoGen 0.4 and later (AgentChat): teams of agents that exchange typed messages and events."""
