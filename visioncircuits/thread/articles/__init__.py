"""The articles, one module each: its claims, and the parts that test them, as `ARTICLE`."""
