"""The documentation: pages in Markdown, and what is made from the code while the site is built."""
