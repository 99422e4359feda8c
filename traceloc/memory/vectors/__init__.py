"""The vectors of a memory: searched exactly while it is small, through files beside it later."""
