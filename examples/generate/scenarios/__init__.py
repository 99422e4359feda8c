"""One module per recorded run; each gives a `SCENARIO`."""
