"""Pure measurements over a trace, one file per family: a number for each step, and evidence."""
