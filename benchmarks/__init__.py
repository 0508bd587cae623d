"""What consentkit costs, side by side with the bare app and its peers, in one run."""
