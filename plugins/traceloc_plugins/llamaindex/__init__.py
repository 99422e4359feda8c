"""LlamaIndex: agent workflows, whose events are streamed."""
