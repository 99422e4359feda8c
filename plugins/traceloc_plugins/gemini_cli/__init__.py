"""Sessions of the Gemini CLI."""
