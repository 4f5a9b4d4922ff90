"""The life of a Control-M agent in a pod: registered, kept, decommissioned."""
