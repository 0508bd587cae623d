"""The suite mirrors `src/consentkit/`: a test's name is the rule, its docstring the law."""
