"""What stands in the way of a launch: asked, judged and told without creating anything."""
