"""MetaGPT: teams of roles that publish messages to each other."""
