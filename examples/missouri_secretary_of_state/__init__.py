"""The site of Missouri's Secretary of State, rebuilt from its privacy policy: session cookies."""
