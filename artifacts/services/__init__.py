"""What people do to artifacts: the files change first, the rows follow."""
