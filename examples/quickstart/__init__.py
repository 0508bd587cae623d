"""The smallest site: a page, a cookie, a policy."""
