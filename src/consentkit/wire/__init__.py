"""The web as bytes: cookies, headers and HTML in, plain values out, and back.

Nothing in this room has ever heard of consent, of a policy, or of a visitor.
"""
