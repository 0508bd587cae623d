"""How fast the auditor looks, and how much memory it takes."""
