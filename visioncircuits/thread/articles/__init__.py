"""The articles, a module or a folder each: claims, and the parts that test them, as `ARTICLE`."""
