"""Control-M's side of the pipeline: its definitions, and what checks and rehearses them."""
