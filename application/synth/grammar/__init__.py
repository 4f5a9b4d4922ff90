"""The grammars of posts, a text file a language."""
