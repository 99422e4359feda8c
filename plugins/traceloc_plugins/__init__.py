"""What traceloc knows about one framework or format each, one folder a framework."""
