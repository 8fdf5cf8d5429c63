"""What `seem-lab` can do: one command a file, named after it."""
