"""Semantic Kernel: chat histories whose messages are made of items."""
