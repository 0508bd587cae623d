"""The auditor's room: visit a site as a person would, in every state, and compare.

It has never heard of the middleware: it sees what any browser sees, and asks the same `decide`.
"""
