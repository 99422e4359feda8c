"""LangChain and LangGraph: runs of LangSmith, messages, states, streams of events, checkpoints."""
