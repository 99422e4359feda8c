"""Training rows with ``conversations``, as ShareGPT introduced them and harnesses export them."""
