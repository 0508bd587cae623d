"""The shell's room: what the commands say, and what they write for you.

It has never heard of a running site: it reads files, asks the rules, and prints.
"""
