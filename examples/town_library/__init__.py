"""A town's library, and what goes wrong with such sites, one fault at a time."""
