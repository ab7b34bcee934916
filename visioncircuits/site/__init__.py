"""What galleries, the thread's pages and comparison reports share: style, templates, reports."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
