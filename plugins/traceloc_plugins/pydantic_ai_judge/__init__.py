"""Judges behind pydantic-ai: OpenAI and what speaks its protocol, Anthropic, Google, local ones."""
