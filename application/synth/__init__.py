"""Invented people, their CRM and their posts, with the truth about each kept aside."""
