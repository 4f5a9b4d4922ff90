"""What `runjob help`, the manual page, the completion and the documents tell, from the tables."""
