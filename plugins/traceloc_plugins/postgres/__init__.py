"""A failure memory that a team shares, on PostgreSQL with pgvector."""
