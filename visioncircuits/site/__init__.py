"""What galleries, the thread's pages and comparison reports share: style, templates, reports.

Nothing here is public: pages are written by `gallery.build`, `thread.reproduce` and the command
`visioncircuits compare`.
"""

__all__: list[str] = []
