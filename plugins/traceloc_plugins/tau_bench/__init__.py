"""Runs of tau-bench: one agent with tools, a policy, and a simulated customer."""
