"""What a notice costs the page it stands in: consentkit's beside four others, in one browser."""
