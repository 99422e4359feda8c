"""AG2 and classic AutoGen: chats of named agents, some of which execute code."""
