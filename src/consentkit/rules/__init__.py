"""Pillar two: pure functions of values. Knows consent; has never heard of HTTP.

`policy` says what is declared, `signals` what the browser asks for, `consent` what the visitor
answered, `decision` what follows from the three. Time is always an argument.
"""
