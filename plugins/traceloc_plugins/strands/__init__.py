"""Strands Agents: sessions of agents, kept file by file."""
