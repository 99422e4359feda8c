"""tau2-bench: an agent and a simulated customer, both with tools."""
