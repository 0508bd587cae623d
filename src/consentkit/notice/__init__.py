"""What the visitor reads: the banner, the preferences, the declaration.

It has never heard of HTTP: it is given a policy and answers, and gives back markup.

`text` has the words of each language and `chapters` tells a policy in them; `banner` is the first
layer, `preferences` the second, `declaration` the table of everything declared. The markup is plain
forms that work without script and without style; it is pure ASCII, so it is right in a page of any
charset that contains ASCII, and all that comes from a policy is escaped.
"""
