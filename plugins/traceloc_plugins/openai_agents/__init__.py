"""The OpenAI Agents SDK: its own traces, saved run states, and the items of the Responses API."""
