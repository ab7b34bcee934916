"""What galleries, the thread's pages and comparison reports share: style, templates, reports.

Nothing here is public: `gallery.build`, `thread.reproduce` and `visioncircuits compare` write pages.
"""
