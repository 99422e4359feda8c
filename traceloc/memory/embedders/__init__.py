"""Ways to turn the text of a step into a vector."""
