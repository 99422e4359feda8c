"""A2A: tasks that agents of different makers exchange."""
