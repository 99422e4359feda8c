"""What people said of traces: kept in one store for each project or user, and learned from."""
