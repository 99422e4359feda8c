"""Failed runs published with a blamed step: Who&When and what was modelled on it."""
