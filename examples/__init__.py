"""Sites to look at and to copy from; `python -m examples` serves them all."""
