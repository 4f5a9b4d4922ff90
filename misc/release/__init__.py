"""A release: wheel, sdist, one-file launcher and bills of materials, the same bytes each time."""
