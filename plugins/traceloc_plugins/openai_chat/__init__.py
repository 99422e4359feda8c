"""Chats in the shape of the OpenAI API, which many frameworks write."""
