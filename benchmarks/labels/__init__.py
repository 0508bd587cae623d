"""How well unknown names are labelled: `consentkit.audit.labels` on lists that others made."""
