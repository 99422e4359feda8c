"""Magentic-One: an orchestrator that keeps a ledger and orders workers about."""
